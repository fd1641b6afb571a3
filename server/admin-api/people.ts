/** People: list, lock, suspend, change of kind, end. Every act is audited in the batch of its effect. */
import type { Accounts } from '../accounts/accounts.ts'
import type { EnrolmentLink } from '../accounts/enrolment.ts'
import { type Person, versionOf } from '../accounts/people.ts'
import { type FoundPerson, personStates } from '../accounts/people-search.ts'
import { parseBody } from '../http/body.ts'
import {
  mayBoolean,
  mayInteger,
  mayString,
  needString,
  needUserId,
  queryInteger,
  queryText,
  userId,
} from '../http/fields.ts'
import { invalidParam, missingParam, notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf } from './administrator.ts'

const kinds = ['member', 'administrator', 'service', 'external'] as const
export type Kind = (typeof kinds)[number]

export function peopleRoutes(
  accounts: Accounts,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const all = '/_letro/admin/v1/people'
  const one = `${all}/:userId`
  const change = [...administrator, parseBody, confirmation]
  return [
    { method: 'GET', path: all, steps: [...administrator, list(accounts)] },
    { method: 'POST', path: all, steps: [...change, createService(accounts)] },
    { method: 'GET', path: one, steps: [...administrator, get(accounts)] },
    { method: 'PUT', path: `${one}/lock`, steps: [...change, setFlag(accounts, 'locked')] },
    { method: 'PUT', path: `${one}/suspend`, steps: [...change, setFlag(accounts, 'suspended')] },
    { method: 'PUT', path: `${one}/kind`, steps: [...change, setKind(accounts)] },
    { method: 'PUT', path: `${one}/expiry`, steps: [...change, setExpiry(accounts)] },
    { method: 'GET', path: `${one}/deactivation`, steps: [...administrator, previewDeactivation(accounts)] },
    { method: 'POST', path: `${one}/deactivate`, steps: [...change, deactivate(accounts)] },
  ]
}

function list(accounts: Accounts): Step {
  return async ctx => {
    const { query } = ctx
    const kind = queryText(query, 'kind')
    const state = queryText(query, 'state')
    const { people, more } = await accounts.peopleSearch.find({
      limit: queryInteger(query, 'limit', 1, 500) ?? 100,
      after: queryText(query, 'from'),
      text: queryText(query, 'search'),
      kind: kind === undefined ? undefined : kindOf(kind),
      state: state === undefined ? undefined : stateOf(state),
    })
    ctx.body = {
      people: people.map(foundAnswer),
      ...(more ? { next_batch: people.at(-1)!.userId } : {}),
    }
  }
}

function get(accounts: Accounts): Step {
  return async ctx => {
    const person = await known(accounts, ctx)
    const [profile, passkeys, devices, links] = await Promise.all([
      accounts.profiles.member(person.userId),
      accounts.passkeys.count(person.userId),
      accounts.sessions.devices(person.userId),
      accounts.enrolment.links(),
    ])
    const link = links.find(each => each.userId === person.userId)
    ctx.body = {
      ...personAnswer(person),
      ...profile,
      passkeys,
      devices: devices.length,
      ...(link ? { link: linkAnswer(link) } : {}),
    }
  }
}

/** A service signs in with this token; it is shown once. */
function createService(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const wanted = needUserId(body, 'user_id')
    if (needString(body, 'kind') !== 'service')
      throw invalidParam('kind must be service: people are invited with an enrolment link.')
    const localpart = wanted.slice(1, wanted.indexOf(':'))
    if ((await accounts.people.available(localpart)) !== wanted)
      throw invalidParam('user_id does not belong to this server.')
    const session = await accounts.people.createService(actorOf(ctx), wanted, {
      deviceId: mayString(body, 'device_id', 255),
      displayName: mayString(body, 'initial_device_display_name', 256),
    })
    ctx.body = { user_id: wanted, device_id: session.deviceId, access_token: session.accessToken }
  }
}

function setFlag(accounts: Accounts, flag: 'locked' | 'suspended'): Step {
  return async ctx => {
    const value = mayBoolean(ctx.state.body, flag)
    if (value === undefined) throw missingParam(flag)
    const seen = mayString(ctx.state.body, 'version', 64)
    if (flag === 'locked') await accounts.people.setLocked(actorOf(ctx), target(ctx), value, seen)
    else await accounts.people.setSuspended(actorOf(ctx), target(ctx), value, seen)
    ctx.body = { [flag]: value }
  }
}

function setKind(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const kind = kindOf(needString(body, 'kind'))
    const seen = mayString(body, 'version', 64)
    await accounts.people.setKind(actorOf(ctx), target(ctx), kind, externalOf(body, kind), seen)
    ctx.body = { kind }
  }
}

function setExpiry(accounts: Accounts): Step {
  return async ctx => {
    const expiresTs = mayInteger(ctx.state.body, 'expires_ts')
    if (expiresTs === undefined) throw missingParam('expires_ts')
    const seen = mayString(ctx.state.body, 'version', 64)
    await accounts.people.setExpiry(actorOf(ctx), target(ctx), expiresTs, seen)
    ctx.body = { expires_ts: expiresTs }
  }
}

function previewDeactivation(accounts: Accounts): Step {
  return async ctx => {
    const { userId } = await known(accounts, ctx)
    const rooms = await accounts.deactivation.soleRooms(userId)
    ctx.body = {
      rooms: rooms.map(room => ({ room_id: room.roomId, name: room.name, members: room.members })),
    }
  }
}

function deactivate(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const successor = mayString(body, 'successor', 255)
    // As with lock and suspend: another administrator has to be made a member first, which is an act of its own.
    await accounts.people.moderable(actorOf(ctx), target(ctx))
    await accounts.deactivation.deactivate(actorOf(ctx), target(ctx), {
      erase: mayBoolean(body, 'erase') ?? false,
      successor: successor === undefined ? undefined : userId(successor, 'successor'),
      needSuccessor: !(mayBoolean(body, 'leave_rooms_without_power') ?? false),
      seen: mayString(body, 'version', 64),
    })
    ctx.body = {}
  }
}

export function kindOf(text: string): Kind {
  const kind = kinds.find(known => known === text)
  if (!kind) throw invalidParam(`kind must be one of ${kinds.join(', ')}.`)
  return kind
}

/** An external person's end and sponsor, which belong together. */
export function externalOf(body: JsonObject, kind: Kind): { expiresTs: number; sponsor: UserId } | undefined {
  const expiresTs = mayInteger(body, 'expires_ts')
  const sponsor = mayString(body, 'sponsor', 255)
  if (kind !== 'external') {
    if (expiresTs !== undefined || sponsor !== undefined)
      throw invalidParam('expires_ts and sponsor are for external people only.')
    return undefined
  }
  if (expiresTs === undefined) throw missingParam('expires_ts')
  if (sponsor === undefined) throw missingParam('sponsor')
  return { expiresTs, sponsor: userId(sponsor, 'sponsor') }
}

async function known(accounts: Accounts, ctx: Context): Promise<Person> {
  const person = await accounts.people.get(target(ctx))
  if (!person) throw notFound('userId names nobody here.')
  return person
}

export function target(ctx: Context): UserId {
  return userId(ctx.state.params['userId'], 'userId')
}

function stateOf(text: string): (typeof personStates)[number] {
  const state = personStates.find(known => known === text)
  if (!state) throw invalidParam(`state must be one of ${personStates.join(', ')}.`)
  return state
}

function foundAnswer({ displayName, ...person }: FoundPerson): JsonObject {
  return {
    ...personAnswer(person),
    ...(displayName === undefined ? {} : { displayname: displayName }),
  }
}

export function linkAnswer(link: EnrolmentLink): JsonObject {
  return {
    id: link.id,
    user_id: link.userId,
    purpose: link.purpose,
    kind: link.kind,
    created_ts: link.createdTs,
    created_by: link.createdBy,
    expires_ts: link.expiresTs,
    ...(link.displayName === undefined ? {} : { displayname: link.displayName }),
  }
}

function personAnswer(person: Person): JsonObject {
  return {
    user_id: person.userId,
    kind: person.kind,
    created_ts: person.createdTs,
    locked: person.locked === true,
    suspended: person.suspended === true,
    version: versionOf(person),
    ...(person.deactivatedTs === undefined ? {} : { deactivated_ts: person.deactivatedTs }),
    ...(person.expiresTs === undefined
      ? {}
      : { expires_ts: person.expiresTs, expired: person.expired === true }),
    ...(person.sponsor === undefined ? {} : { sponsor: person.sponsor }),
  }
}

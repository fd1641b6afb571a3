/**
 * Deactivation: an account ends, and no room is left behind without anybody who may run it.
 *
 * Order: the rooms where only this person has power get the named successor; then one batch ends the
 * account, its credentials and sessions, and writes down that its rooms are to be left; then they are left,
 * which goes on after a restart.
 *
 * Spec: POST /account/deactivate
 */
import { parseUserId, type RoomId, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { RoomError, type RoomView } from '../rooms/rooms.ts'
import {
  accountTable,
  enrolmentLinkTable,
  externalTable,
  leavingTable,
  passwordTable,
} from '../store/catalogue.ts'
import type { AccountData } from './account-data.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import type { Core } from './core.ts'
import type { Passkeys } from './passkeys.ts'
import { administratorsOwner, keepAnAdministrator, type People } from './people.ts'
import type { Profiles } from './profiles.ts'
import type { Sessions } from './sessions.ts'

/** A room that nobody could run any more. */
export interface SoleRoom {
  readonly roomId: RoomId
  readonly name: string | null
  readonly members: number
}

export interface DeactivationOptions {
  readonly erase: boolean
  readonly successor?: UserId | undefined
  /** Refuse if rooms would be left without anybody in power and no successor is named. */
  readonly needSuccessor?: boolean
}

export interface Deactivation {
  /** Rooms with other people in them where only this person has power. */
  soleRooms(userId: UserId): Promise<SoleRoom[]>
  deactivate(actor: string, userId: UserId, options: DeactivationOptions): Promise<void>
  /** Those whose old events are shown redacted to who was not there. Spec: `erase`. */
  erasedAmong(userIds: readonly UserId[]): Promise<ReadonlySet<UserId>>
  resume(): Promise<void>
  settled(): Promise<void>
  stop(): void
}

const retryMs = 30_000

export function openDeactivation(
  core: Core,
  audit: Audit,
  people: People,
  sessions: Sessions,
  passkeys: Passkeys,
  profiles: Profiles,
  accountData: AccountData,
): Deactivation {
  const { store, rooms, clock } = core
  const leaving = new Map<UserId, Promise<void>>()
  const retries = new Set<NodeJS.Timeout>()
  let stopped = false

  const soleRooms = async (userId: UserId): Promise<SoleRoom[]> => {
    const found: SoleRoom[] = []
    for (const [roomId, { membership }] of await rooms.memberships(userId)) {
      const view = membership === 'join' ? await rooms.view(roomId) : null
      if (view && isSole(view, userId)) {
        const name = view.state('m.room.name', '')?.content['name']
        found.push({
          roomId,
          name: typeof name === 'string' ? name : null,
          members: view.memberCount('join'),
        })
      }
    }
    return found
  }

  const promote = async (userId: UserId, successor: UserId, roomId: RoomId): Promise<void> => {
    const view = await rooms.view(roomId)
    if (!view) return
    const send = (type: string, stateKey: string, content: JsonObject) =>
      rooms.send({ roomId, sender: userId, type, stateKey, content })
    const membership = view.membership(successor)
    if (membership !== 'join' && membership !== 'invite')
      await send('m.room.member', successor, { membership: 'invite' })
    if (view.creators.has(successor) && view.powerLevel(successor) === Number.POSITIVE_INFINITY) return
    const content = view.state('m.room.power_levels', '')?.content ?? {}
    const users = isObject(content['users']) ? content['users'] : {}
    await send('m.room.power_levels', '', {
      ...content,
      users: { ...users, [successor]: levelToPassOn(view, userId, content) },
    })
  }

  /** One after the other; what a room refuses stays as it is. True: nothing is left to do. */
  const leaveAll = async (userId: UserId): Promise<void> => {
    let failed: unknown
    for (const [roomId, { membership }] of await rooms.memberships(userId)) {
      if (stopped) return
      if (membership !== 'join' && membership !== 'invite' && membership !== 'knock') continue
      try {
        await rooms.send({
          roomId,
          sender: userId,
          type: 'm.room.member',
          stateKey: userId,
          content: { membership: 'leave' },
        })
      } catch (error) {
        // A status above 500: the room's policy server was away, and what it says may be another thing later.
        if (!(error instanceof RoomError) || (error.status ?? 0) >= 500) failed = error
      }
    }
    if (failed !== undefined) throw failed
    await store.transact(userId, tx => tx.delete(leavingTable.key(userId)))
  }

  const leave = (userId: UserId): Promise<void> => {
    const running = leaving.get(userId)
    if (running) return running
    const done = leaveAll(userId)
      .catch(error => {
        core.report('a deactivated person could not leave all rooms; it will be tried again', error)
        if (stopped) return
        const timer = setTimeout(() => {
          retries.delete(timer)
          void leave(userId)
        }, retryMs)
        timer.unref()
        retries.add(timer)
      })
      .finally(() => leaving.delete(userId))
    leaving.set(userId, done)
    return done
  }

  const checkSuccessor = async (userId: UserId, successor: UserId) => {
    if (successor === userId) throw new AccountError('M_INVALID_PARAM', 'successor must be another person.')
    if (serverOf(successor) !== core.serverName) return
    const person = await people.get(successor)
    if (!person || person.deactivatedTs !== undefined)
      throw new AccountError(
        'M_INVALID_PARAM',
        'successor names nobody here, or somebody who was deactivated.',
      )
  }

  return {
    soleRooms,

    deactivate: async (actor, userId, { erase, successor, needSuccessor }) => {
      const person = await people.get(userId)
      if (!person || person.deactivatedTs !== undefined)
        throw new AccountError('M_NOT_FOUND', 'userId names nobody here, or somebody who was deactivated.')
      if (person.kind === 'administrator')
        await store.transact(administratorsOwner, tx => keepAnAdministrator(tx, userId))
      const sole = await soleRooms(userId)
      if (successor !== undefined) {
        await checkSuccessor(userId, successor)
        for (const { roomId } of sole) await promote(userId, successor, roomId)
      } else if (needSuccessor && sole.length > 0) {
        throw new AccountError(
          'M_BAD_STATE',
          'In some rooms only this person has power: name a successor, or set leave_rooms_without_power.',
          { rooms: sole.map(room => ({ room_id: room.roomId, name: room.name, members: room.members })) },
        )
      }

      await store.transact([userId, administratorsOwner], async tx => {
        const account = await tx.get(accountTable.key(userId))
        if (!account || account.deactivatedTs !== undefined) return
        if (account.kind === 'administrator') await keepAnAdministrator(tx, userId)
        tx.put(accountTable.key(userId), {
          ...account,
          deactivatedTs: clock(),
          ...(erase ? { erased: true } : {}),
        })
        for (const removed of core.accountRemoved) await removed(tx, userId, { erase })
        await passkeys.removeAllIn(tx, userId)
        await sessions.removeAllDevicesIn(tx, userId)
        tx.delete(passwordTable.key(userId))
        tx.delete(externalTable.key(userId))
        for (const { key, value } of await tx.range(enrolmentLinkTable.under()))
          if (value.userId === userId) tx.delete(key)
        profiles.removeIn(tx, userId)
        // A user id is never given out again: what only its owner could read is nobody's.
        await accountData.removeAllIn(tx, userId)
        tx.put(leavingTable.key(userId), { sinceTs: clock() })
        await audit.record(tx, {
          actor,
          action: 'account.deactivate',
          target: userId,
          detail: { erase, successor: successor ?? null, rooms: sole.map(room => room.roomId) },
        })
      })
      core.forgetSessions(userId)
      await leave(userId)
    },

    erasedAmong: async userIds => {
      const rows = await store.read(view => view.getMany(userIds.map(userId => accountTable.key(userId))))
      return new Set(userIds.filter((_, i) => rows[i]?.erased === true))
    },

    resume: async () => {
      for (const { parts } of await store.read(view => view.range(leavingTable.under()))) {
        const userId = parseUserId(parts[0])
        if (userId) void leave(userId)
      }
    },
    settled: async () => {
      while (leaving.size > 0) await Promise.all(leaving.values())
    },
    stop: () => {
      stopped = true
      for (const timer of retries) clearTimeout(timer)
    },
  }
}

/** Others are here, this person may change who has power, and nobody else may. */
function isSole(view: RoomView, userId: UserId): boolean {
  if (view.memberCount('join') < 2 || !view.maySend(userId, 'm.room.power_levels', true)) return false
  for (const member of view.members('join')) {
    if (member.stateKey !== userId && view.maySend(member.stateKey, 'm.room.power_levels', true)) return false
  }
  return true
}

/** As much as the person has; a version 12 creator has more than any number, and passes on what the room asks for. */
function levelToPassOn(view: RoomView, userId: UserId, content: JsonObject): number {
  const own = view.powerLevel(userId)
  if (Number.isFinite(own)) return own
  const events = isObject(content['events']) ? Object.values(content['events']) : []
  const asked = [...events, content['state_default'], content['ban'], content['kick'], content['redact']]
  return Math.max(100, ...asked.filter(level => typeof level === 'number'))
}

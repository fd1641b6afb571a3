/** What tabs may do to rooms and to the account's own data: requests to the server, with what the engine has to know first. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { inPath, v3 } from '../api/http.ts'
import { encryptAttachment } from '../e2ee/attachment.ts'
import { queryOutdatedLists, trackPeople } from '../e2ee/device-lists.ts'
import { E2eeError } from '../e2ee/errors.ts'
import { buildHistoryBundle, shareHistory } from '../e2ee/history-sharing.ts'
import { readIdentity } from '../e2ee/identity.ts'
import { randomBytes } from '../e2ee/primitives.ts'
import { noteInvited, readRoom } from '../e2ee/room-settings.ts'
import { admitNewcomer, beginRoom, signInvite } from '../e2ee/signed-invite.ts'
import { stateContent } from '../sync/room.ts'
import type { App } from './app.ts'
import type { NewRoom, RoomCalls } from './calls.ts'
import { knownRoom } from './room-calls.ts'

type Acts = Omit<
  RoomCalls,
  | 'rooms'
  | 'room'
  | 'members'
  | 'timeline'
  | 'edits'
  | 'typingIn'
  | 'findPeople'
  | 'organisations'
  | 'publicRooms'
  | 'spaceRooms'
  | 'searchMessages'
  | 'profile'
  | 'presence'
  | 'accountData'
  | 'pushRules'
>

const typingMs = 20_000

/** `tell` says that a room is gone from this device. */
export function roomActs(app: () => App, onGone: (roomId: string) => Promise<void>): Acts {
  const room = (roomId: string) => `${v3}/rooms/${inPath(roomId)}`
  const mine = () => `${v3}/user/${inPath(app().session.userId)}`
  const setState: Acts['setState'] = async ({ roomId, type, stateKey, content }) => {
    await app().http.request('PUT', `${room(roomId)}/state/${inPath(type)}/${inPath(stateKey)}`, {
      body: content,
    })
  }
  const setAccountData: Acts['setAccountData'] = async ({ type, content }) => {
    await app().http.request('PUT', `${mine()}/account_data/${inPath(type)}`, { body: content })
  }
  return {
    createRoom: async wanted => {
      const { http, machine, session } = app()
      const answer = await http.request('POST', `${v3}/createRoom`, {
        body: creationOf(wanted, session.userId),
      })
      const { room_id: roomId } = answer
      if (typeof roomId !== 'string') throw new ApiError('BAD_ANSWER', 'a room was made without an id')
      // We made it: nobody was there before us, and whoever comes was let in by somebody.
      await machine.run(step => beginRoom(step, { roomId, userIds: [session.userId] }))
      if (wanted.encrypted) {
        await machine.receiveRoom(roomId, {
          encryption: { algorithm: 'm.megolm.v1.aes-sha2' },
          members: { [session.userId]: 'join' },
        })
      }
      const inviteAll = async () => {
        for (const userId of wanted.invite)
          await inviteOne(app(), { roomId, userId, isDirect: wanted.isDirect })
      }
      if (wanted.isDirect) await app().directRooms.finish(roomId, wanted.invite, inviteAll)
      else await inviteAll()
      if (wanted.inSpace !== undefined) {
        const via = [session.userId.slice(session.userId.indexOf(':') + 1)]
        await setState({ roomId: wanted.inSpace, type: 'm.space.child', stateKey: roomId, content: { via } })
      }
      return roomId
    },
    join: async ({ room: where, via }) => {
      const inviter = app().store.entry(where)?.invite?.sender ?? null
      const wasDirect = app().store.entry(where)?.directWith ?? []
      if (inviter !== null) await app().offeredHistory.await(where, inviter)
      const { room_id: roomId } = await app().http.request(
        'POST',
        `${v3}/join/${inPath(where)}${viaQuery(via)}`,
        { body: {} },
      )
      if (typeof roomId !== 'string') throw new ApiError('BAD_ANSWER', 'a room was joined without an id')
      if (wasDirect.length > 0) await app().directRooms.setDirect(roomId, wasDirect)
      app().offeredHistory.wake()
      return roomId
    },
    knock: async ({ room: where, via, reason }) => {
      const body = reason === undefined ? {} : { reason }
      const { room_id: roomId } = await app().http.request(
        'POST',
        `${v3}/knock/${inPath(where)}${viaQuery(via)}`,
        { body },
      )
      return typeof roomId === 'string' ? roomId : where
    },
    leave: async roomId => {
      await app().http.request('POST', `${room(roomId)}/leave`, { body: {} })
    },
    forget: async roomId => {
      await app().http.request('POST', `${room(roomId)}/forget`, { body: {} })
      await onGone(roomId)
    },
    invite: whom => inviteOne(app(), whom),
    setMembership: async ({ roomId, userId, act, reason }) => {
      const body = { user_id: userId, ...(reason !== undefined && { reason }) }
      await app().http.request('POST', `${room(roomId)}/${act}`, { body })
    },
    setState,
    setPower: async ({ roomId, userId, power }) => {
      const levels = stateContent(await knownRoom(app(), roomId), 'm.room.power_levels')
      const users = isObject(levels['users']) ? levels['users'] : {}
      const content = { ...levels, users: { ...users, [userId]: power } }
      await setState({ roomId, type: 'm.room.power_levels', stateKey: '', content })
    },
    setRoomAvatar: async ({ roomId, image }) => {
      const content: JsonObject = image ? { url: await upload(app(), image) } : {}
      await setState({ roomId, type: 'm.room.avatar', stateKey: '', content })
    },
    upgradeRoom: async ({ roomId, version }) => {
      const answer = await app().http.request('POST', `${room(roomId)}/upgrade`, {
        body: { new_version: version },
      })
      return String(answer['replacement_room'])
    },
    setTag: async ({ roomId, tag, on }) => {
      const path = `${mine()}/rooms/${inPath(roomId)}/tags/${inPath(tag)}`
      if (on) await app().http.request('PUT', path, { body: { order: 0.5 } })
      else await app().http.request('DELETE', path)
    },
    setMuted: ({ roomId, level }) => setNotifyLevel(app(), roomId, level),
    setDirect: ({ roomId, userIds }) => app().directRooms.setDirect(roomId, userIds),
    markRead: mark => app().readMarks.mark(mark),
    markUnread: ({ roomId, unread }) => setMarkedUnread(app(), roomId, unread),
    typing: async ({ roomId, typing }) => {
      // What was told before the person chose this ends by itself, after `typingMs`.
      if (app().store.accountData('org.letro.privacy')?.['hide_typing'] === true) return
      const body = typing ? { typing, timeout: typingMs } : { typing }
      await app().http.request('PUT', `${room(roomId)}/typing/${inPath(app().session.userId)}`, { body })
    },
    admitNewcomer: async ({ roomId, userId }) => {
      await app().machine.run(async step =>
        admitNewcomer(step, {
          roomId,
          userId,
          masterKey: (await readIdentity(step, userId))?.masterKey ?? null,
        }),
      )
      app().outbox.queue.decided()
    },
    setAccountData,
    // Spec: client-server-api#put_matrixclientv3pushrulesglobalkindruleid
    setPushRule: async ({ kind, ruleId, enabled, actions }) => {
      const path = `${v3}/pushrules/global/${inPath(kind)}/${inPath(ruleId)}`
      if (actions !== undefined)
        await app().http.request('PUT', `${path}/actions`, { body: { actions: [...actions] } as JsonObject })
      if (enabled !== undefined) await app().http.request('PUT', `${path}/enabled`, { body: { enabled } })
    },
  }
}

function creationOf(wanted: NewRoom, ourUserId: string): JsonObject {
  const state = (type: string, content: JsonObject, stateKey = '') => ({ type, state_key: stateKey, content })
  const server = ourUserId.slice(ourUserId.indexOf(':') + 1)
  const { inSpace } = wanted
  return {
    preset:
      wanted.joinRule === 'public'
        ? 'public_chat'
        : wanted.isDirect
          ? 'trusted_private_chat'
          : 'private_chat',
    visibility: 'private',
    is_direct: wanted.isDirect,
    ...(wanted.name !== undefined && { name: wanted.name }),
    ...(wanted.topic !== undefined && { topic: wanted.topic }),
    ...(wanted.alias !== undefined && { room_alias_name: wanted.alias }),
    ...(wanted.isSpace && { creation_content: { type: 'm.space' } }),
    initial_state: [
      ...(wanted.encrypted ? [state('m.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' })] : []),
      ...(wanted.historyVisibility
        ? [state('m.room.history_visibility', { history_visibility: wanted.historyVisibility })]
        : []),
      ...(wanted.joinRule === 'knock' ? [state('m.room.join_rules', { join_rule: 'knock' })] : []),
      ...(wanted.joinRule === 'restricted' && inSpace !== undefined
        ? [
            state('m.room.join_rules', {
              join_rule: 'restricted',
              allow: [{ type: 'm.room_membership', room_id: inSpace }],
            }),
          ]
        : []),
      ...(inSpace !== undefined
        ? [state('m.space.parent', { via: [server], canonical: true }, inSpace)]
        : []),
    ],
  }
}

/**
 * Invites with our device's word on who is meant. Who has no identity yet cannot be vouched for: that we invited them is then our own
 * decision to let them in.
 */
async function inviteOne(
  app: App,
  {
    roomId,
    userId,
    reason,
    isDirect = false,
  }: { roomId: string; userId: string; reason?: string; isDirect?: boolean },
): Promise<void> {
  const { http, machine, pump } = app
  const isEncrypted = (await machine.run(step => readRoom(step, roomId))) !== null
  let word: JsonObject = {}
  if (isEncrypted) {
    await machine.run(async (step, context) => {
      await trackPeople(step, [userId])
      await queryOutdatedLists(step, context)
    })
    await pump.flush()
    word = await machine.run(async (step, context) => {
      try {
        return await signInvite(step, context, { roomId, userId })
      } catch (error) {
        if (!(error instanceof E2eeError) || error.code !== 'IDENTITY_UNKNOWN') throw error
        await admitNewcomer(step, { roomId, userId, masterKey: null })
        return {}
      }
    })
  }
  const path = `${v3}/rooms/${inPath(roomId)}`
  if (Object.keys(word).length === 0) {
    await http.request('POST', `${path}/invite`, {
      body: { user_id: userId, ...(reason !== undefined && { reason }) },
    })
  } else {
    // The invite's own endpoint takes no members beside the specification's: the event is sent as state.
    const content = {
      membership: 'invite',
      ...(isDirect && { is_direct: true }),
      ...(reason !== undefined && { reason }),
      ...word,
    }
    await http.request('PUT', `${path}/state/m.room.member/${inPath(userId)}`, { body: content })
  }
  if (!isEncrypted) return
  await machine.run(step => noteInvited(step, roomId, userId))
  await giveHistory(app, roomId, userId)
}

/** MSC4268: the keys of what they may read of the past. Not having them is no reason for the invitation to fail. */
async function giveHistory(app: App, roomId: string, userId: string): Promise<void> {
  const { machine, pump } = app
  try {
    const bundle = await machine.run(step => buildHistoryBundle(step, roomId))
    if (!bundle) return
    const { stream, finish } = encryptedFile(bundle)
    const body = await new Response(stream).arrayBuffer()
    const url = await upload(app, new Blob([body], { type: 'application/octet-stream' }))
    const file = { ...finish(), url }
    for (let attempt = 0; attempt < 3; attempt++) {
      const waiting = await machine.run((step, context) => shareHistory(step, context, roomId, userId, file))
      if (waiting === null) return
      await pump.flush()
    }
  } catch (error) {
    if (!(error instanceof ApiError) && !(error instanceof E2eeError)) throw error
  }
}

function encryptedFile(bytes: Uint8Array) {
  const file = encryptAttachment(randomBytes)
  return {
    stream: new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(file.stream),
    finish: () => file.info(),
  }
}

/** @returns the `mxc:` address */
export async function upload(app: Pick<App, 'http'>, content: Blob): Promise<string> {
  const response = await app.http.send('POST', '/_matrix/media/v3/upload', {
    content,
    contentType: content.type || 'application/octet-stream',
    timeoutMs: 600_000,
  })
  const { content_uri: url } = (await response.json()) as JsonObject
  if (typeof url !== 'string') throw new ApiError('BAD_ANSWER', 'an upload has no address')
  return url
}

async function setMarkedUnread(app: App, roomId: string, unread: boolean): Promise<void> {
  const path = `${v3}/user/${inPath(app.session.userId)}/rooms/${inPath(roomId)}/account_data/m.marked_unread`
  await app.http.request('PUT', path, { body: { unread } })
}

/** All: no rule of ours. Mentions: a room rule that does not notify. None: an override. Spec: #push-rules */
async function setNotifyLevel(app: App, roomId: string, level: 'all' | 'mentions' | 'none'): Promise<void> {
  const { http } = app
  const override = `${v3}/pushrules/global/override/${inPath(roomId)}`
  const rule = `${v3}/pushrules/global/room/${inPath(roomId)}`
  const remove = async (path: string) => {
    try {
      await http.request('DELETE', path)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error
    }
  }
  if (level !== 'none') await remove(override)
  if (level !== 'mentions') await remove(rule)
  if (level === 'none') {
    const conditions = [{ kind: 'event_match', key: 'room_id', pattern: roomId }]
    await http.request('PUT', override, { body: { actions: [], conditions } })
  }
  if (level === 'mentions') await http.request('PUT', rule, { body: { actions: [] } })
}

function viaQuery(via: readonly string[] | undefined): string {
  return via && via.length > 0
    ? `?${via.map(server => `via=${inPath(server)}&server_name=${inPath(server)}`).join('&')}`
    : ''
}

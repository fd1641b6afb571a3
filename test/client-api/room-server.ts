/**
 * The room endpoints over a real store and real rooms; people and tokens are made up.
 *
 * A token is `name/DEVICE`; `ext-…` are external, `admin…` administrators, `gone…` have no account, `shy…` take no invites.
 */
import { randomBytes } from 'node:crypto'
import { roomRoutes } from '../../server/client-api/rooms.ts'
import { requireAccessToken, type TokenReader } from '../../server/http/authenticate.ts'
import type { DeviceId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { openAliases } from '../../server/rooms/aliases.ts'
import { openRoomMembers } from '../../server/rooms/membership.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import { introduction, type People } from '../../server/rooms/people.ts'
import { openPublicRooms } from '../../server/rooms/public-rooms.ts'
import { annotationGate, openRelations, relationsProjection } from '../../server/rooms/relations.ts'
import { noRemoteRooms, type RemoteRooms } from '../../server/rooms/remote-rooms.ts'
import { openRemoteSpaces } from '../../server/rooms/remote-spaces.ts'
import { openReports, type Reports } from '../../server/rooms/reports.ts'
import type { Rooms } from '../../server/rooms/rooms.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Store } from '../../server/store/store.ts'
import type { Answer } from '../support/client.ts'
import { startHttp } from '../support/http.ts'
import { signingKey } from '../support/primitives.ts'

export const serverName = 'hq.test' as ServerName

export interface RoomServer {
  readonly rooms: Rooms
  readonly store: Store
  readonly reports: Reports
  readonly ignored: Map<string, Set<string>>
  readonly suspended: Set<string>
  clock(): number
  /** Moves the clock on. */
  wait(ms: number): void
  call(who: string, method: string, path: string, body?: object): Promise<Answer>
  /** The body of an answer that has to be 200. */
  ok(who: string, method: string, path: string, body?: object): Promise<Answer['body']>
  createRoom(who: string, body?: object): Promise<string>
  join(who: string, roomId: string): Promise<void>
  send(who: string, roomId: string, body: string | object, type?: string): Promise<string>
  close(): Promise<void>
}

export const id = (name: string) => `@${name}:${serverName}` as UserId
export const v3 = '/_matrix/client/v3'
export const v1 = '/_matrix/client/v1'
export const inRoom = (roomId: string, rest: string) => `${v3}/rooms/${encodeURIComponent(roomId)}${rest}`

const people: People = {
  async memberProfile(userId) {
    if (userId.startsWith('@gone')) return null
    return { displayname: userId.slice(1, userId.indexOf(':')) }
  },
  remoteProfile: async userId =>
    introduction({ displayname: userId.slice(1, userId.indexOf(':')).toUpperCase() }),
  erasedAmong: async userIds => new Set(userIds.filter(userId => userId.startsWith('@erased'))),
  blocksInvites: async userId => userId.startsWith('@shy'),
}

const noPeers = { all: () => [], get: () => undefined, mayReceiveFrom: () => false, maySendTo: () => false }

/** Over a store of one's own, or one in memory; `close` closes it. */
/** `remoteRooms`: the only peers that there are; `peers`: to whom anything may be sent. */
export async function startRoomServer(
  given?: Store,
  remoteRooms: RemoteRooms = noRemoteRooms,
  peers = noPeers,
): Promise<RoomServer> {
  let now = 1_700_000_000_000
  const clock = () => now
  const store = given ?? (await openMemoryStore())
  const key = signingKey(Buffer.alloc(32, 1))
  const rooms = await openRooms({
    store,
    serverName,
    clock,
    randomBytes,
    signer: { keyId: 'ed25519:a' as KeyId, sign: (_keyId, bytes) => key.sign(bytes) },
    gates: [annotationGate],
    projections: [relationsProjection],
    remote: remoteRooms,
    checkSignatures: async () => true,
  })
  const ignored = new Map<string, Set<string>>()
  const suspended = new Set<string>()
  const ignoredUsers = async (userId: UserId) => ignored.get(userId) ?? new Set<string>()
  const relations = openRelations({ store, rooms, ignoredUsers })
  const aliases = openAliases({ store, rooms, remote: remoteRooms, clock })
  const publicRooms = openPublicRooms({ store, rooms, clock })
  const members = openRoomMembers({
    rooms,
    people,
    outward: rooms.outward,
    peers,
  })
  const reports = openReports({ store, clock })
  const http = await startHttp(
    roomRoutes({
      movedRooms: { follow: async () => {} },
      authenticate: requireAccessToken(tokens(suspended)),
      aliases,
      clock,
      members,
      outward: rooms.outward,
      peers,
      people,
      publicRooms,
      remoteRooms,
      remoteSpaces: openRemoteSpaces({ rooms, remote: remoteRooms, clock }),
      relations,
      reports,
      rooms,
      serverName,
    }),
  )
  let transactions = 0

  const call: RoomServer['call'] = (who, method, path, body) => {
    const needsBody = method === 'PUT' || method === 'POST'
    return http.call(method, path, {
      ...(who === '' ? {} : { token: who.includes('/') ? who : `${who}/PHONE` }),
      ...(needsBody ? { body: body ?? {} } : {}),
    })
  }
  const ok: RoomServer['ok'] = async (who, method, path, body) => {
    const answer = await call(who, method, path, body)
    if (answer.status === 200) return answer.body
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)} ${http.lines}`)
  }
  return {
    rooms,
    store,
    reports,
    ignored,
    suspended,
    clock,
    wait: ms => {
      now += ms
    },
    call,
    ok,
    createRoom: async (who, body = {}) => (await ok(who, 'POST', `${v3}/createRoom`, body)).room_id,
    join: async (who, roomId) => {
      await ok(who, 'POST', inRoom(roomId, '/join'))
    },
    send: async (who, roomId, body, type = 'm.room.message') => {
      now += 10
      const content = typeof body === 'string' ? { msgtype: 'm.text', body } : body
      const path = inRoom(roomId, `/send/${type}/t${++transactions}`)
      return (await ok(who, 'PUT', path, content)).event_id
    },
    close: async () => {
      await http.close()
      await store.close()
    },
  }
}

function tokens(suspended: ReadonlySet<string>): TokenReader {
  return {
    readToken(token) {
      const [name, device] = token.split('/')
      if (!name || !device) return { kind: 'unknown' }
      const kind = name.startsWith('ext-')
        ? 'external'
        : name.startsWith('admin')
          ? 'administrator'
          : 'member'
      const requester = { userId: id(name), deviceId: device as DeviceId, kind, tokenHash: token } as const
      return { kind: 'valid', requester, standing: suspended.has(name) ? 'suspended' : 'good' }
    },
  }
}

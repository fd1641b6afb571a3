/** Rooms over a store, with three people of ours and a clock that moves by itself. */
import { randomBytes } from 'node:crypto'
import type { RoomId, ServerName, UserId } from '../../server/protocol/ids.ts'
import type { RoomVersion } from '../../server/protocol/room-versions.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { openRooms, type RoomsDeps } from '../../server/rooms/open-rooms.ts'
import type { Draft } from '../../server/rooms/rooms.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Store } from '../../server/store/store.ts'
import { signingKey } from '../support/primitives.ts'

export const serverName = 'here.test' as ServerName
export const ann = '@ann:here.test' as UserId
export const ben = '@ben:here.test' as UserId
export const cam = '@cam:here.test' as UserId
export const keyId = 'ed25519:a_1' as KeyId
export const ourKey = signingKey(new Uint8Array(32).fill(7))

export function opening(store: Store, more: Partial<RoomsDeps> = {}) {
  let now = 1_700_000_000_000
  return openRooms({
    store,
    serverName,
    clock: () => now++,
    randomBytes: size => randomBytes(size),
    signer: { keyId, sign: (_keyId, bytes) => ourKey.sign(bytes) },
    ...more,
  })
}

export type Opened = Awaited<ReturnType<typeof opening>>

export async function open(more: Partial<RoomsDeps> & { slow?: boolean; seed?: number } = {}) {
  const { slow = false, seed = 1, ...deps } = more
  const store = await openMemoryStore({ slow, seed })
  return { store, rooms: await opening(store, deps) }
}

export type RoomDraft = Omit<Draft, 'roomId'>

export function member(userId: UserId, membership: string, sender = userId): RoomDraft {
  return { sender, type: 'm.room.member', stateKey: userId, content: { membership } }
}

export function state(sender: UserId, type: string, content: RoomDraft['content']): RoomDraft {
  return { sender, type, stateKey: '', content }
}

export function text(sender: UserId, body: string): RoomDraft {
  return { sender, type: 'm.room.message', content: { msgtype: 'm.text', body } }
}

/** A room that anybody may join, with Ann in it. */
export async function publicRoom(
  rooms: Opened,
  version: RoomVersion = '12',
  more: RoomDraft[] = [],
): Promise<RoomId> {
  const { roomId } = await rooms.create({
    version,
    creator: ann,
    createContent: {},
    events: () => [
      member(ann, 'join'),
      state(ann, 'm.room.power_levels', version === '12' ? { users: {} } : { users: { [ann]: 100 } }),
      state(ann, 'm.room.join_rules', { join_rule: 'public' }),
      ...more,
    ],
  })
  return roomId
}

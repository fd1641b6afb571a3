/**
 * Which members a device knows already, so that lazily loading clients are not told twice.
 *
 * What a response carried counts as known only when the device comes back with that response's token: a
 * response that got lost is simply sent again in full. Memory only and bounded; forgetting costs a redundant
 * member event, never a missing one.
 * Spec: client-server-api#lazy-loading-room-members.
 */
import type { DeviceId, RoomId, UserId } from '../protocol/ids.ts'

type Members = Map<RoomId, Set<UserId>>

interface DeviceMemory {
  /** The token that the device last showed, and what it knew then. */
  token: string | undefined
  known: Members
  size: number
  /** What the newest response carried on top, and its token. */
  offered: { token: string; members: Members } | undefined
}

/** What one response may leave out and what it carries. */
export interface LazySession {
  knows(roomId: RoomId, userId: UserId): boolean
  carries(roomId: RoomId, userId: UserId): void
  /** The room is shown from the start again: nothing counts as known. */
  forgetRoom(roomId: RoomId): void
  /** The response goes out with this token. */
  offer(token: string): void
}

const maxDevices = 5_000
const maxMembersOfDevice = 4_000

export interface LazyMembers {
  /** `since` is the token with which the device comes; undefined where it begins anew. */
  open(userId: UserId, deviceId: DeviceId, since: string | undefined): LazySession
}

export function openLazyMembers(): LazyMembers {
  const devices = new Map<string, DeviceMemory>()

  function memoryOf(userId: UserId, deviceId: DeviceId, since: string | undefined): DeviceMemory {
    const name = `${userId} ${deviceId}`
    let memory = devices.get(name)
    devices.delete(name)
    if (memory && since !== undefined && memory.offered?.token === since) confirm(memory, since)
    // Not our last response and not the request that we answered with it: another branch of history.
    else if (!memory || since === undefined || memory.token !== since)
      memory = { token: since, known: new Map(), size: 0, offered: undefined }
    devices.set(name, memory)
    if (devices.size > maxDevices) devices.delete(devices.keys().next().value!)
    return memory
  }

  function confirm(memory: DeviceMemory, token: string) {
    for (const [roomId, members] of memory.offered!.members) {
      const known = memory.known.get(roomId) ?? new Set()
      memory.size += members.size
      memory.known.set(roomId, new Set([...known, ...members]))
    }
    if (memory.size > maxMembersOfDevice) {
      memory.known = new Map()
      memory.size = 0
    }
    memory.token = token
    memory.offered = undefined
  }

  return {
    open(userId, deviceId, since) {
      const memory = memoryOf(userId, deviceId, since)
      const carried: Members = new Map()
      const forgotten = new Set<RoomId>()
      return {
        knows: (roomId, member) => !forgotten.has(roomId) && (memory.known.get(roomId)?.has(member) ?? false),
        carries(roomId, member) {
          const members = carried.get(roomId)
          if (members) members.add(member)
          else carried.set(roomId, new Set([member]))
        },
        forgetRoom: roomId => forgotten.add(roomId),
        offer(token) {
          memory.offered = { token, members: carried }
        },
      }
    },
  }
}

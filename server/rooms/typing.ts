/**
 * Who is typing where. Memory only: after a restart nobody is, and no client is told otherwise.
 *
 * Each change takes the next serial; serials of one run of the server lie above those of the runs before
 * (they start from the clock), so that a client which saw someone typing before a restart hears that nobody is.
 * Spec: client-server-api#typing-notifications.
 */
import type { RoomId, UserId } from '../protocol/ids.ts'

export interface Typing {
  /** Someone types for that long, or (0) stops. Says again for longer: no change that others need to hear of. */
  set(roomId: RoomId, userId: UserId, timeoutMs: number): void
  typists(roomId: RoomId): readonly UserId[]
  /** The serial of the room's last change; 0: none in this run. */
  changedAt(roomId: RoomId): number
  /** The serial of the newest change, and the one at which this run began. */
  readonly serial: number
  readonly firstSerial: number
  onChange(listener: (roomId: RoomId) => void): () => void
  /** Someone began, says that they still do, or stopped: for those who have to tell others. */
  onTypist(listener: (roomId: RoomId, userId: UserId, isTyping: boolean) => void): () => void
  close(): void
}

/** Longer wishes are cut: who closes the laptop stops typing. */
const maxTimeoutMs = 120_000

export function openTyping({ clock }: { clock: () => number }): Typing {
  const firstSerial = clock()
  let serial = firstSerial
  const rooms = new Map<RoomId, { changedAt: number; typists: Map<UserId, number> }>()
  const listeners = new Set<(roomId: RoomId) => void>()
  const tellers = new Set<(roomId: RoomId, userId: UserId, isTyping: boolean) => void>()
  let timer: NodeJS.Timeout | undefined

  function changed(roomId: RoomId) {
    rooms.get(roomId)!.changedAt = ++serial
    for (const listener of listeners) listener(roomId)
  }

  function tell(roomId: RoomId, userId: UserId, isTyping: boolean) {
    for (const teller of tellers) teller(roomId, userId, isTyping)
  }

  function expire() {
    timer = undefined
    const now = clock()
    for (const [roomId, room] of rooms) {
      const before = room.typists.size
      for (const [userId, until] of room.typists) {
        if (until > now) continue
        room.typists.delete(userId)
        tell(roomId, userId, false)
      }
      if (room.typists.size < before) changed(roomId)
    }
    schedule()
  }

  function schedule() {
    if (timer) clearTimeout(timer)
    timer = undefined
    let next = Number.POSITIVE_INFINITY
    for (const room of rooms.values()) for (const until of room.typists.values()) next = Math.min(next, until)
    if (next === Number.POSITIVE_INFINITY) return
    timer = setTimeout(expire, Math.max(1, next - clock()))
    timer.unref()
  }

  return {
    set(roomId, userId, timeoutMs) {
      const room = rooms.get(roomId)
      const types = room?.typists.has(userId) ?? false
      if (timeoutMs <= 0) {
        if (!types) return
        room!.typists.delete(userId)
        changed(roomId)
        tell(roomId, userId, false)
      } else {
        const until = clock() + Math.min(timeoutMs, maxTimeoutMs)
        if (room) room.typists.set(userId, until)
        else rooms.set(roomId, { changedAt: 0, typists: new Map([[userId, until]]) })
        if (!types) changed(roomId)
        tell(roomId, userId, true)
      }
      schedule()
    },
    typists: roomId => [...(rooms.get(roomId)?.typists.keys() ?? [])],
    changedAt: roomId => rooms.get(roomId)?.changedAt ?? 0,
    get serial() {
      return serial
    },
    firstSerial,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onTypist(teller) {
      tellers.add(teller)
      return () => tellers.delete(teller)
    },
    close() {
      if (timer) clearTimeout(timer)
      listeners.clear()
      tellers.clear()
    },
  }
}

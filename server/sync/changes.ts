/**
 * What changed last where, and who waits for it.
 *
 * For each room, person and device that changed since the server started: the position of the commit that
 * changed it. So "nothing new in these hundred rooms" costs a hundred lookups and no read. What changed
 * before the start is not known here: then the answer is yes, and whoever looks tells us what they found.
 *
 * A waiter wakes once for a commit, however many of its topics the commit touches; commits that come while
 * the event loop is busy wake it once together.
 */
import type { DeviceId, RoomId, UserId } from '../protocol/ids.ts'
import type { RoomMembership } from '../rooms/rooms.ts'
import type { Position, Store } from '../store/store.ts'

export type Memberships = ReadonlyMap<RoomId, RoomMembership>

export interface Changes {
  roomChanged(roomId: RoomId, since: Position): boolean
  ephemeralChanged(roomId: RoomId, since: Position): boolean
  userChanged(userId: UserId, since: Position): boolean
  deviceChanged(userId: UserId, deviceId: DeviceId, since: Position): boolean
  /** Did anybody's device list change, or who shares a room with whom? */
  deviceListsChanged(since: Position): boolean
  /** Someone looked: the room's newest event stands here. */
  learnRoom(roomId: RoomId, lastPosition: Position): void
  learnEphemeral(roomId: RoomId, lastPosition: Position): void
  /**
   * Resolves at the next change that could concern this device, after `timeoutMs` or a little later, or when it hangs
   * up. `superseded`: the device waits with so many newer requests that this one should be answered.
   */
  wait(
    userId: UserId,
    deviceId: DeviceId,
    memberships: Memberships,
    timeoutMs: number,
    hangUp?: HangUp,
  ): Promise<'look' | 'superseded'>
  /** Something that is in no commit changed in this room. */
  touch(roomId: RoomId): void
  /** How many requests wait. */
  readonly waiting: number
  close(): void
}

/** The client may go away while it waits. */
export interface HangUp {
  hasHungUp(): boolean
  /** Calls once it does; the answer takes that back. */
  onHangUp(listener: () => void): () => void
}

interface Waiter {
  readonly deviceId: DeviceId
  wake(why?: 'superseded'): void
}

interface Person {
  readonly userId: UserId
  readonly waiters: Set<Waiter>
  /** The memberships by which the person is entered under `rooms`. */
  memberships: Memberships | undefined
  idleSince: number
}

/** People stay entered under their rooms for a while after their last request: the next one is on its way. */
const idleMs = 60_000
const timerStepMs = 100
/** Requests with which one device may wait: a client has one, and some that it forgot. */
const maxWaitersOfDevice = 10

export function openChanges(deps: {
  store: Store
  clock: () => number
  /** Of anyone: whose device list changed is told to those who share a room. */
  membershipsOf(userId: UserId): Promise<Memberships>
}): Changes {
  const { store, clock, membershipsOf } = deps
  const startedAt = store.durablePosition
  const last = {
    room: new Map<string, Position>(),
    ephemeral: new Map<string, Position>(),
    user: new Map<string, Position>(),
    device: new Map<string, Position>(),
  }
  let lastDeviceList = startedAt
  const people = new Map<UserId, Person>()
  const peopleIn = new Map<RoomId, Set<Person>>()
  let waiting = 0
  const due = new Set<Waiter>()
  let flushing = false

  const stop = store.onDurable(({ durablePosition, topics }) => {
    for (const topic of topics) {
      const colon = topic.indexOf(':')
      const name = topic.slice(colon + 1)
      switch (topic.slice(0, colon)) {
        case 'room':
          last.room.set(name, durablePosition)
          wakeRoom(name as RoomId)
          break
        case 'ephemeral':
          last.ephemeral.set(name, durablePosition)
          wakeRoom(name as RoomId)
          break
        case 'user':
          last.user.set(name, durablePosition)
          wakePerson(people.get(name as UserId))
          break
        case 'device': {
          last.device.set(name, durablePosition)
          // A localpart may hold slashes, what follows its colon does not.
          const slash = name.indexOf('/', name.indexOf(':'))
          wakePerson(people.get(name.slice(0, slash) as UserId), name.slice(slash + 1))
          break
        }
        case 'devices':
          lastDeviceList = durablePosition
          wakeForDevicesOf(name)
          break
      }
    }
  })

  function changed(map: Map<string, Position>, name: string, since: Position): boolean {
    const at = map.get(name)
    return at === undefined ? since < startedAt : at > since
  }

  function wakeRoom(roomId: RoomId) {
    for (const person of peopleIn.get(roomId) ?? []) wakePerson(person)
  }

  function wakePerson(person: Person | undefined, deviceId?: string) {
    for (const waiter of person?.waiters ?? [])
      if (deviceId === undefined || waiter.deviceId === deviceId) due.add(waiter)
    if (due.size === 0 || flushing) return
    flushing = true
    setImmediate(flush)
  }

  function flush() {
    flushing = false
    const woken = [...due]
    due.clear()
    for (const waiter of woken) waiter.wake()
  }

  function wakeForDevicesOf(name: string) {
    if (name[0] === '!') return wakeRoom(name as RoomId)
    const userId = name as UserId
    wakePerson(people.get(userId))
    if (waiting === 0) return
    membershipsOf(userId).then(
      memberships => {
        for (const { roomId, membership } of memberships.values()) if (membership === 'join') wakeRoom(roomId)
      },
      // The store failed: every waiter looks again after the reset anyway.
      () => {},
    )
  }

  function enter(person: Person, memberships: Memberships) {
    if (person.memberships === memberships) return
    const leaves = person.memberships
    person.memberships = memberships
    for (const { roomId, membership } of memberships.values()) {
      if (membership !== 'join') continue
      const there = peopleIn.get(roomId)
      if (there) there.add(person)
      else peopleIn.set(roomId, new Set([person]))
    }
    for (const roomId of leaves?.keys() ?? [])
      if (memberships.get(roomId)?.membership !== 'join') remove(person, roomId)
  }

  function remove(person: Person, roomId: RoomId) {
    const there = peopleIn.get(roomId)
    if (there?.delete(person) && there.size === 0) peopleIn.delete(roomId)
  }

  const sweep = setInterval(() => {
    const now = clock()
    for (const person of people.values()) {
      if (person.waiters.size > 0 || now - person.idleSince < idleMs) continue
      for (const roomId of person.memberships?.keys() ?? []) remove(person, roomId)
      people.delete(person.userId)
    }
  }, idleMs)
  sweep.unref()

  function wakeAll() {
    for (const person of people.values()) wakePerson(person)
  }
  const stopResets = store.onReset(wakeAll)

  return {
    roomChanged: (roomId, since) => changed(last.room, roomId, since),
    ephemeralChanged: (roomId, since) => changed(last.ephemeral, roomId, since),
    userChanged: (userId, since) => changed(last.user, userId, since),
    deviceChanged: (userId, deviceId, since) => changed(last.device, `${userId}/${deviceId}`, since),
    deviceListsChanged: since => lastDeviceList > since || since < startedAt,
    learnRoom(roomId, lastPosition) {
      if (!last.room.has(roomId)) last.room.set(roomId, lastPosition)
    },
    learnEphemeral(roomId, lastPosition) {
      if (!last.ephemeral.has(roomId)) last.ephemeral.set(roomId, lastPosition)
    },
    touch: wakeRoom,
    wait(userId, deviceId, memberships, timeoutMs, hangUp) {
      let person = people.get(userId)
      if (!person) {
        person = { userId, waiters: new Set(), memberships: undefined, idleSince: 0 }
        people.set(userId, person)
      }
      enter(person, memberships)
      const { waiters } = person
      const ofDevice = [...waiters].filter(each => each.deviceId === deviceId)
      if (ofDevice.length >= maxWaitersOfDevice) ofDevice[0]!.wake('superseded')
      return new Promise(resolve => {
        const waiter: Waiter = { deviceId, wake: done }
        // Node keeps a list for each length of time: few lengths are cheap, one for each waiter is not.
        const timer = setTimeout(() => done(), Math.ceil(timeoutMs / timerStepMs) * timerStepMs)
        const listenNoMore = hangUp?.onHangUp(() => done())
        waiters.add(waiter)
        waiting++
        function done(why: 'look' | 'superseded' = 'look') {
          if (!waiters.delete(waiter)) return
          waiting--
          due.delete(waiter)
          clearTimeout(timer)
          listenNoMore?.()
          person!.idleSince = clock()
          resolve(why)
        }
      })
    },
    get waiting() {
      return waiting
    },
    close() {
      stop()
      stopResets()
      clearInterval(sweep)
      wakeAll()
      flush()
    },
  }
}

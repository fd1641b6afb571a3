/**
 * Who is there, who is away, who is gone. Memory only, and off unless the configuration turns it on: it tells more about
 * people than most organisations want told.
 *
 * People of ours are there while one of their devices syncs and says so; away while all that sync say that nobody uses them. People of other servers are what their server said last, until it has been silent
 * for half an hour. Servers whose people come into a room are told who of us is there. Each change takes the next serial; those of one run lie above those of the runs before.
 *
 * Spec: client-server-api#presence, server-server-api#presence
 */
import type { Outbound } from '../peers/outbound.ts'
import { type DeviceId, parseUserId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { otherServersIn } from '../rooms/room-edus.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Store } from '../store/store.ts'
import { type Newcomer, newcomersIn } from './newcomers.ts'

export const presenceStates = ['online', 'unavailable', 'offline'] as const
export type PresenceState = (typeof presenceStates)[number]

export interface PresenceStatus {
  readonly state: PresenceState
  readonly statusText?: string | undefined
  readonly lastActiveTs: number
}

export interface Presence {
  get(userId: UserId): PresenceStatus | undefined
  /** A person of ours says so. */
  set(userId: UserId, state: PresenceState, statusText: string | undefined): void
  /** A device of a person of ours asks for news. */
  seen(userId: UserId, deviceId: DeviceId, state: PresenceState): void
  /** `m.presence` of a peer. What is wrong or none of its business is passed over. */
  take(origin: ServerName, content: JsonObject): Promise<void>
  /** Whose presence changed above this serial. */
  changedSince(serial: number): readonly UserId[]
  readonly serial: number
  onChange(listener: (userId: UserId) => void): void
  close(): void
}

export interface PresenceDeps {
  readonly store: Pick<Store, 'onDurable'>
  readonly rooms: Pick<Rooms, 'serverName' | 'memberships' | 'view'>
  readonly outbound: Pick<Outbound, 'ephemeral'>
  readonly clock: () => number
}

/** A client that waits for news comes back at least every half minute or so. */
const goneAfterMs = 90_000
/** What other homeservers do: told again after 25 minutes, given up after 30. */
const tellAgainMs = 25 * 60_000
const remoteGoneAfterMs = 30 * 60_000
const sweepMs = 15_000
const maxStatusLength = 1_000
/** In one EDU. */
const maxPushed = 500

interface Heard {
  readonly state: 'online' | 'unavailable'
  readonly ts: number
}

interface Entry extends PresenceStatus {
  readonly changedAt: number
  /** When the person was last heard of. */
  heardTs: number
  /** When other servers were told. */
  toldTs: number
}

export function openPresence({ store, rooms, outbound, clock }: PresenceDeps): Presence {
  let serial = clock()
  const entries = new Map<UserId, Entry>()
  const listeners: ((userId: UserId) => void)[] = []
  /** What the devices of a person of ours said last: one that lies idle does not make away whoever uses another. */
  const devices = new Map<UserId, Map<DeviceId, Heard>>()
  const isOurs = (userId: UserId) => serverOf(userId) === rooms.serverName

  function change(userId: UserId, status: PresenceStatus): void {
    const before = entries.get(userId)
    const now = clock()
    if (before && before.state === status.state && before.statusText === status.statusText) {
      entries.set(userId, { ...before, lastActiveTs: status.lastActiveTs, heardTs: now })
      return
    }
    entries.set(userId, { ...status, changedAt: ++serial, heardTs: now, toldTs: now })
    for (const listener of listeners) listener(userId)
    // A store that fails has louder voices than this.
    if (isOurs(userId)) tell(userId).catch(() => {})
  }

  async function tell(userId: UserId): Promise<void> {
    const servers = new Set<ServerName>()
    for (const { roomId, membership } of (await rooms.memberships(userId)).values()) {
      if (membership !== 'join') continue
      for (const server of otherServersIn(await rooms.view(roomId), rooms.serverName)) servers.add(server)
    }
    tellOf(userId, servers)
  }

  function tellOf(userId: UserId, servers: Iterable<ServerName>): void {
    const entry = entries.get(userId)
    if (!entry) return
    const push = [{ user_id: userId, ...presenceContent(entry, clock()) }]
    for (const server of servers) {
      outbound.ephemeral(server, `presence ${userId}`, { edu_type: 'm.presence', content: { push } })
    }
  }

  /** Servers that see each other's people in this room from now on begin with what is, not with the next change. */
  async function meet({ roomId, userId }: Newcomer): Promise<void> {
    const view = await rooms.view(roomId)
    const others = otherServersIn(view, rooms.serverName)
    if (isOurs(userId)) {
      if (entries.get(userId)?.state !== 'offline') tellOf(userId, others)
      return
    }
    const server = serverOf(userId)
    if (!view || !others.includes(server) || view.joinedServers.get(server) !== 1) return
    for (const [person, { state }] of entries) {
      const isThere = isOurs(person) && state !== 'offline' && view.membership(person) === 'join'
      if (isThere) tellOf(person, [server])
    }
  }
  const stopListening = store.onDurable(({ topics }) => {
    for (const newcomer of newcomersIn(topics)) meet(newcomer).catch(() => {})
  })

  const sweep = setInterval(() => {
    const now = clock()
    for (const [userId, entry] of entries) {
      if (entry.state === 'offline') continue
      const gone = now - entry.heardTs > (isOurs(userId) ? goneAfterMs : remoteGoneAfterMs)
      if (gone) {
        devices.delete(userId)
        change(userId, { ...entry, state: 'offline' })
      } else if (isOurs(userId) && now - entry.toldTs > tellAgainMs) {
        entry.toldTs = now
        tell(userId).catch(() => {})
      }
    }
  }, sweepMs)
  sweep.unref()

  return {
    get: userId => entries.get(userId),
    set(userId, state, statusText) {
      devices.delete(userId)
      change(userId, { state, statusText, lastActiveTs: clock() })
    },
    seen(userId, deviceId, state) {
      const ofPerson = devices.get(userId) ?? new Map<DeviceId, Heard>()
      const now = clock()
      // A device that wants not to be seen takes back what it said, and says nothing of the others.
      if (state === 'offline' && !ofPerson.delete(deviceId)) return
      if (state !== 'offline') ofPerson.set(deviceId, { state, ts: now })
      devices.set(userId, ofPerson)
      const before = entries.get(userId)
      change(userId, {
        state: stateOf(ofPerson.values(), now),
        statusText: before?.statusText,
        // Who has a device that lies idle was active when they were, not now.
        lastActiveTs: state === 'online' ? now : (before?.lastActiveTs ?? now),
      })
    },
    async take(origin, content) {
      if (!Array.isArray(content['push'])) return
      for (const each of content['push'].slice(0, maxPushed)) {
        if (!isObject(each)) continue
        const userId = parseUserId(each['user_id'])
        const state = presenceStates.find(name => name === each['presence'])
        if (!userId || !state || serverOf(userId) !== origin) continue
        // Nobody here sees them: nothing to remember.
        if ((await rooms.memberships(userId)).size === 0) continue
        const { status_msg: text, last_active_ago: ago } = each
        change(userId, {
          state,
          statusText: typeof text === 'string' ? text.slice(0, maxStatusLength) : undefined,
          lastActiveTs: clock() - (typeof ago === 'number' && ago >= 0 ? ago : 0),
        })
      }
    },
    changedSince: after =>
      [...entries].flatMap(([userId, { changedAt }]) => (changedAt > after ? [userId] : [])),
    get serial() {
      return serial
    },
    onChange: listener => void listeners.push(listener),
    close() {
      clearInterval(sweep)
      stopListening()
    },
  }
}

/** The most that one of the devices says that is still heard of. */
function stateOf(devices: Iterable<Heard>, now: number): PresenceState {
  const states = [...devices].filter(({ ts }) => now - ts <= goneAfterMs).map(({ state }) => state)
  return states.includes('online') ? 'online' : (states[0] ?? 'offline')
}

/** As clients and servers get it. */
export function presenceContent(
  { state, statusText, lastActiveTs }: PresenceStatus,
  now: number,
): JsonObject {
  return {
    presence: state,
    last_active_ago: Math.max(0, now - lastActiveTs),
    currently_active: state === 'online',
    ...(statusText === undefined ? {} : { status_msg: statusText }),
  }
}

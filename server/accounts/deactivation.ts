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
import { isSole, passPower } from '../rooms/pass-power.ts'
import { RoomError } from '../rooms/rooms.ts'
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
import { administratorsOwner, keepAnAdministrator, mustBeAsSeen, type People } from './people.ts'
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
  /** The version of the account on which it was decided. */
  readonly seen?: string | undefined
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

    deactivate: async (actor, userId, { erase, successor, needSuccessor, seen }) => {
      const person = await people.get(userId)
      if (!person || person.deactivatedTs !== undefined)
        throw new AccountError('M_NOT_FOUND', 'userId names nobody here, or somebody who was deactivated.')
      const { userId: _, ...account } = person
      mustBeAsSeen(account, seen)
      if (person.kind === 'administrator')
        await store.transact(administratorsOwner, tx => keepAnAdministrator(tx, userId))
      const sole = await soleRooms(userId)
      if (successor !== undefined) {
        await checkSuccessor(userId, successor)
        for (const { roomId } of sole) await passPower(rooms, userId, successor, roomId)
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
        mustBeAsSeen(account, seen)
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

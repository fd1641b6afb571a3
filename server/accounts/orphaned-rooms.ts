/**
 * Rooms in which nobody has power any more, and how it comes back: by the room's own rules and no others, so that every server
 * in the room agrees.
 *
 * What helps is an account of ours that was deactivated and that the room still gives power: it comes in once more, passes its
 * power to a member whom the administrator named, and leaves. Where an active person has the power and is not in the
 * room, they are the ones to ask. Where neither is the case, no server can help: the room has to be upgraded by hand, or left.
 *
 * Spec: none; client-server-api#mroompower_levels says what power is.
 */
import { type RoomId, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject } from '../protocol/json.ts'
import { hasPower, passPower } from '../rooms/pass-power.ts'
import { namedLevel, stateLevel } from '../rooms/power.ts'
import type { RoomView } from '../rooms/rooms.ts'
import { type AccountRow, accountTable, leavingTable } from '../store/catalogue.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import type { Core } from './core.ts'

/** How power can come back into a room that nobody rules. */
export interface WayBack {
  /** A deactivated account that can pass it on; null: there is none. */
  readonly through: UserId | null
  /** People who have the power and are not in the room, of whatever server. */
  readonly ask: readonly UserId[]
}

export interface OrphanedRooms {
  /** Null: somebody in the room has power. */
  wayBack(roomId: RoomId): Promise<WayBack | null>
  /** To somebody of this server who is in the room. @throws AccountError, or RoomError where the room's rules refuse it */
  giveBack(actor: string, roomId: RoomId, to: UserId): Promise<void>
}

export function openOrphanedRooms({ store, rooms, serverName, clock }: Core, audit: Audit): OrphanedRooms {
  const orphan = async (roomId: RoomId): Promise<RoomView> => {
    const view = await rooms.view(roomId)
    if (!view) throw new AccountError('M_NOT_FOUND', 'roomId is no room that this server knows.')
    return view
  }

  const wayBackOf = async (view: RoomView): Promise<WayBack | null> => {
    for (const { stateKey } of view.members('join')) if (hasPower(view, stateKey)) return null
    const holders = powerHolders(view)
    const ours = holders.filter(userId => serverOf(userId) === serverName)
    const rows = await store.read(tx => tx.getMany(ours.map(userId => accountTable.key(userId))))
    const isEnded = (userId: UserId) => rows[ours.indexOf(userId)]?.deactivatedTs !== undefined
    return {
      through: ours.find(userId => isEnded(userId) && view.membership(userId) !== 'ban') ?? null,
      ask: holders.filter(userId => !isEnded(userId)),
    }
  }

  /** Its rows change together with `leavingTable`: what a stop leaves half done, the next start ends by leaving. */
  const setReturning = (userId: UserId, roomId: RoomId | null, act?: Parameters<Audit['record']>[1]) =>
    store.transact(userId, async tx => {
      const account = await tx.get(accountTable.key(userId))
      if (account?.deactivatedTs === undefined)
        throw new AccountError('M_BAD_STATE', 'The account that had power is no deactivated one.')
      const { returnsTo: _, ...rest }: AccountRow = account
      tx.put(accountTable.key(userId), roomId === null ? rest : { ...rest, returnsTo: roomId })
      if (roomId === null) tx.delete(leavingTable.key(userId))
      else tx.put(leavingTable.key(userId), { sinceTs: clock() })
      if (act) await audit.record(tx, act)
    })

  const setMembership = (roomId: RoomId, sender: UserId, userId: UserId, membership: string) =>
    rooms.send({ roomId, sender, type: 'm.room.member', stateKey: userId, content: { membership } })

  return {
    wayBack: async roomId => wayBackOf(await orphan(roomId)),

    giveBack: async (actor, roomId, to) => {
      const view = await orphan(roomId)
      const way = await wayBackOf(view)
      if (!way)
        throw new AccountError('M_BAD_STATE', 'Somebody in the room has power: ask them.', {
          'org.letro.reason': 'CHANGED',
        })
      if (serverOf(to) !== serverName || view.membership(to) !== 'join')
        throw new AccountError('M_INVALID_PARAM', 'to must be somebody of this server who is in the room.')
      const { through } = way
      const isOpen = view.state('m.room.join_rules', '')?.content['join_rule'] === 'public'
      if (through === null || (!isOpen && view.powerLevel(to) < namedLevel(view, 'invite')))
        throw new AccountError(
          'M_BAD_STATE',
          'By the rules of this room no account of this server can do it.',
          {
            'org.letro.reason': 'NO_WAY_BACK',
          },
        )
      await setReturning(through, roomId, {
        actor,
        action: 'room.give-power',
        target: to,
        detail: { room: roomId, through },
      })
      try {
        if (!isOpen && view.membership(through) !== 'invite')
          await setMembership(roomId, to, through, 'invite')
        await setMembership(roomId, through, through, 'join')
        await passPower(rooms, through, to, roomId)
      } finally {
        const now = (await rooms.view(roomId))?.membership(through)
        if (now === 'join' || now === 'invite') await setMembership(roomId, through, through, 'leave')
        await setReturning(through, null)
      }
    },
  }
}

/** Whom the room would let change its power levels, if they were in it. */
function powerHolders(view: RoomView): UserId[] {
  const users = view.state('m.room.power_levels', '')?.content['users']
  const named = new Set([...view.creators, ...Object.keys(isObject(users) ? users : {})] as UserId[])
  const needed = stateLevel(view, 'm.room.power_levels')
  return [...named].filter(userId => view.powerLevel(userId) >= needed && view.membership(userId) !== 'join')
}

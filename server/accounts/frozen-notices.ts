/**
 * Tells people in their account data of a room that it stands still, and why (`org.letro.frozen`: server, by, event_id,
 * since); an empty content says that it goes on.
 *
 * It follows the room: after a crash in between, the next start tells it for every room that stands still.
 */

import type { RoomId } from '../protocol/ids.ts'
import { serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { frozenContent, frozenType } from '../rooms/freezer.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { frozenRooms, roomHeads } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { AccountData } from './account-data.ts'

export interface FrozenNoticesDeps {
  readonly store: Store
  readonly rooms: Pick<Rooms, 'view' | 'serverName' | 'onFrozen'>
  readonly accountData: Pick<AccountData, 'get' | 'set'>
  readonly report: (message: string) => void
}

export async function openFrozenNotices({
  store,
  rooms,
  accountData,
  report,
}: FrozenNoticesDeps): Promise<void> {
  let last: Promise<void> = Promise.resolve()
  const tellLater = (roomId: RoomId): void => {
    last = last
      .then(() => tell(roomId))
      .catch(() => report('people could not be told that a room stands still'))
  }
  rooms.onFrozen(tellLater)
  for (const roomId of await roomsAtStandstill()) tellLater(roomId)

  async function roomsAtStandstill(): Promise<RoomId[]> {
    return store.read(async view => {
      const rows = await view.range(frozenRooms.under())
      const heads = await view.getMany(rows.map(({ parts }) => roomHeads.key(parts[0])))
      return heads.flatMap(head => head?.roomId ?? [])
    })
  }

  async function tell(roomId: RoomId): Promise<void> {
    const view = await rooms.view(roomId)
    if (!view) return
    const { frozen } = view
    const content: JsonObject = frozen ? frozenContent(frozen) : {}
    for (const { stateKey } of [...view.members('join')]) {
      if (serverOf(stateKey) !== rooms.serverName) continue
      const said = await accountData.get(stateKey, roomId, frozenType)
      if (JSON.stringify(said ?? {}) === JSON.stringify(content)) continue
      // Somebody whose account ended needs no notice.
      await accountData.set(stateKey, roomId, frozenType, content).catch(() => {})
    }
  }
}

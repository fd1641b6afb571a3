/** Makes the search index anew from the messages that are kept, where it was lost or broken, while everything else goes on. */
import { indexed } from './kept-events.ts'
import type { Search } from './ports.ts'
import { RelationBatch } from './relations.ts'
import type { RoomStore } from './room-store.ts'

export async function indexAgain(
  { store, search }: { readonly store: RoomStore; readonly search: Search },
  isStopped: () => boolean,
): Promise<void> {
  for (const { roomId } of store.entries) {
    for (const number of (await store.timeline(roomId)).packNumbers.toReversed()) {
      if (isStopped()) return
      await store.alone(async () => {
        // Another one, where a commit failed meanwhile.
        const timeline = await store.timeline(roomId)
        if (!timeline.packNumbers.includes(number)) return
        const { events } = await timeline.pack(number)
        const relations = new RelationBatch(store.records, roomId)
        await relations.load(events.map(({ eventId }) => eventId))
        await search.commit([], { reindex: events.flatMap(event => indexed(roomId, event, relations)) })
      })
    }
  }
}

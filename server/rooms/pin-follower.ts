/**
 * What has to follow a change of pins in all rooms (standstill, server ACLs): done to the end, also if a crash or a
 * failing store comes in between.
 *
 * A row for each task and server says under which standing of that server the task was last done, and is written when it
 * is. A start does it again for every server whose standing is another one by now; so it does after a repair that
 * brought pins back or took them away. Doing it twice must change nothing.
 */
import type { Peers } from '../peers/peer.ts'
import type { ServerName } from '../protocol/ids.ts'
import { followedPins } from '../store/catalogue.ts'
import { type Store, StoreError } from '../store/store.ts'

export interface PinTask {
  readonly name: 'standstill' | 'server ACLs' | 'catching up'
  /** What of a pin decides here, in one word; null: the server is a stranger. */
  readonly standing: (server: ServerName) => string | null
  readonly follow: (server: ServerName) => Promise<void>
}

export interface PinFollowerDeps {
  readonly store: Store
  readonly peers: Pick<Peers, 'all' | 'onChange'>
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
}

/** Resolves when it is known what is to be done; that is done by and by. */
export async function followPins({ store, peers, report }: PinFollowerDeps, task: PinTask): Promise<void> {
  const underWay = new Map<ServerName, Promise<void>>()
  /** What the store did not take: once it takes something again. */
  const left = new Set<ServerName>()

  const begin = (server: ServerName): void => {
    const done = (underWay.get(server) ?? Promise.resolve()).then(() => followOne(server))
    underWay.set(server, done)
    void done.then(() => underWay.get(server) === done && underWay.delete(server))
  }
  peers.onChange(begin)
  store.onDurable(() => {
    const again = [...left]
    left.clear()
    for (const server of again) begin(server)
  })

  async function followOne(server: ServerName): Promise<void> {
    const standing = task.standing(server)
    const key = followedPins.key(task.name, server)
    try {
      await task.follow(server)
      await store.transact(`${task.name} ${server}`, tx => {
        if (standing === null) tx.delete(key)
        else tx.put(key, standing)
      })
    } catch (error) {
      // What fails otherwise would fail again: the next start tries.
      if (error instanceof StoreError) left.add(server)
      else report('rooms could not follow a change of pins', { peer: server })
    }
  }

  const rows = await store.read(view => view.range(followedPins.under(task.name)))
  const before = new Map(rows.map(({ parts, value }) => [parts[1] as ServerName, value]))
  const named = new Set([...before.keys(), ...Array.from(peers.all(), ({ serverName }) => serverName)])
  for (const server of named) if (task.standing(server) !== (before.get(server) ?? null)) begin(server)
}

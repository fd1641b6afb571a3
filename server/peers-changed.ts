/**
 * Tells the machine that peers changed: `<data>/peers-changed` is written when the server starts and after each change. On an
 * appliance the firewall follows it, asking the administration API who they are. The file says nothing, and nothing depends on
 * it: whoever looks now and then anyway sees the same a little later.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PeerBook } from './peers/peer-book.ts'

export function tellOfPeers(dataFolder: string, peers: Pick<PeerBook, 'onChange'>): void {
  const tell = () => {
    try {
      writeFileSync(join(dataFolder, 'peers-changed'), '', { mode: 0o600 })
    } catch {
      // A full disk: whoever waits looks again by itself.
    }
  }
  peers.onChange(tell)
  tell()
}

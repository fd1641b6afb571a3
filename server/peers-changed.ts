/**
 * Tells the machine that it should look whom this server talks to: `<data>/peers-changed` is written when the server listens, and
 * after each change of a pin or of a setting. On an appliance the firewall follows it, asking the administration API. The file
 * says nothing, and nothing depends on it: whoever looks now and then anyway sees the same a little later.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function tellOfPeers(dataFolder: string): void {
  try {
    writeFileSync(join(dataFolder, 'peers-changed'), '', { mode: 0o600 })
  } catch {
    // A full disk: whoever waits looks again by itself.
  }
}

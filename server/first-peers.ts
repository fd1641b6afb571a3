/**
 * Pins the peers that `letro init` was told, at the first start, as `letro peer pin` would.
 *
 * The file goes once all were tried. A crash before that tries them again: a card that is pinned already is no news.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerActs } from './admin-api/peer-acts.ts'
import type { Log } from './http/log.ts'
import { firstPeersFile, parseFirstPeers } from './protocol/first-peers.ts'

export async function pinFirstPeers(
  dataFolder: string,
  { pin }: Pick<PeerActs, 'pin'>,
  log: Log,
): Promise<void> {
  const file = join(dataFolder, firstPeersFile)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return
  for (const { card, fingerprint } of parseFirstPeers(text)) {
    const server = String(card['server_name'])
    try {
      await pin('local', { card, fingerprint })
      log.info('a peer of the set-up was pinned', { server })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      log.warn('a peer of the set-up could not be pinned: pin it with letro peer pin', { server, code })
    }
  }
  await rm(file)
}

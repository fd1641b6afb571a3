/**
 * This site as its peers see it: the root key, and the card that it signs.
 *
 * `keys/site-root.json` (0600) is made once and never written again; `keys/site-card.json` is the present card, written
 * anew whenever a fact in it changes: a rotated key, another certificate, another address. Peers pin the root key. Losing
 * it means that every peer must pin this site anew, so it is never made again in silence: `identity.json` remembers it.
 *
 * After a crash the card may say less than the configuration and the key file; the next start compares and signs another.
 */
import { sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataFolder } from './data-folder.ts'
import { noteRootKey } from './data-folder.ts'
import { encodeBase64 } from './protocol/base64.ts'
import { buildCard, type Card, type CardFacts, cardSays, readCard, readCardText } from './protocol/card.ts'
import type { ServerName } from './protocol/ids.ts'
import type { KeyId } from './protocol/signing.ts'
import { verify } from './rooms/primitives.ts'
import { type KeyMeans, KeysMissing, privateKeyOf, type ServerKeys, writeDurably } from './server-keys.ts'

export interface OwnSite {
  /** The present one. */
  readonly card: Card
  /** SHA-256 of the key (SPKI) of each certificate that may answer other servers; a new one is named before it is used. */
  setTls(spkiSha256: readonly string[]): Promise<void>
  /** A new key signs events from now on; peers learn it by the card. */
  rotateSigningKey(): Promise<KeyId>
  /** After each new card, once it is durable. Answers with how to stop. */
  onCard(listener: (card: Card) => void): () => void
}

export interface OwnSiteDeps extends KeyMeans {
  readonly dataFolder: string
  readonly folder: Pick<DataFolder, 'rootKey'>
  readonly keys: ServerKeys
  readonly serverName: ServerName
  /** The https URL that people open. */
  readonly origin: string
  /** Where other servers dial us. */
  readonly address: { readonly host: string; readonly port: number }
  readonly residency?: string | undefined
  /** It answers other servers: a first card is handed out once `setTls` has said by which certificate. */
  readonly awaitsTls: boolean
}

const maxKeys = 90

/** Rejects with KeysMissing, a sentence for the operator. */
export async function openOwnSite(deps: OwnSiteDeps): Promise<OwnSite> {
  const { dataFolder, keys, serverName, origin, address, residency, clock } = deps
  const root = await openRoot(deps)
  const cardFile = join(dataFolder, 'keys', 'site-card.json')
  const before = await readCardFile(cardFile)
  if (before && encodeBase64(before.rootKey) !== encodeBase64(root.publicKey)) {
    throw new KeysMissing(
      `${cardFile} was signed by another root key than the one beside it. Put both files back from one backup.`,
    )
  }
  const listeners = new Set<(card: Card) => void>()
  let tls = before?.tlsSpkiSha256 ?? []
  let published = keys.published
  let card: Card | null = before
  let last: Promise<unknown> = Promise.resolve()

  const facts = (): CardFacts => ({
    serverName,
    rpId: new URL(origin).hostname,
    origins: [origin],
    address,
    ...(residency === undefined ? {} : { residency }),
    // The newest stand last. Events under older ones were signed years ago.
    eventSigning: [...published].slice(-maxKeys).map(([id, key]) => ({ id, ...key })),
    tlsSpkiSha256: tls,
  })

  /** One after another: a serial is never used twice. */
  const sayWhatIs = (): Promise<void> => {
    const done = last.then(async () => {
      const wanted = facts()
      if (card && cardSays(card, wanted)) return
      const json = buildCard(wanted, card, root, clock())
      const reading = readCard(json, verify)
      if (reading.kind === 'refused') throw new KeysMissing(`Our own card cannot be made: ${reading.reason}.`)
      // Whoever pinned a card without a certificate could not connect, not even to get the next one.
      const isWhole = tls.length > 0 || !deps.awaitsTls
      if (isWhole) await writeDurably(cardFile, `${JSON.stringify(json)}\n`)
      card = reading.card
      for (const listener of listeners) listener(card)
    })
    last = done.catch(() => {})
    return done
  }
  await sayWhatIs()

  return {
    get card() {
      return card!
    },
    setTls: spkiSha256 => {
      tls = spkiSha256
      return sayWhatIs()
    },
    rotateSigningKey: () =>
      keys.rotate(async next => {
        const before = published
        published = next
        try {
          await sayWhatIs()
        } catch (error) {
          published = before
          throw error
        }
      }),
    onCard: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

async function openRoot({ dataFolder, folder, clock, randomBytes }: OwnSiteDeps) {
  const path = join(dataFolder, 'keys', 'site-root.json')
  let seed = await readSeed(path)
  if (!seed) {
    if (folder.rootKey !== null) {
      throw new KeysMissing(
        `${path} is missing: it is the key by which other sites know this one. Put it back from a backup. With a new one every peer would have to pin this site anew; if it is lost for good, remove "rootKey" from ${join(dataFolder, 'identity.json')} and ${join(dataFolder, 'keys', 'site-card.json')}, start, and hand out the new card.`,
      )
    }
    seed = randomBytes(32)
    const file = { seed: Buffer.from(seed).toString('base64'), createdTs: clock() }
    await writeDurably(path, `${JSON.stringify(file, null, 2)}\n`)
  }
  const { key, publicKey } = privateKeyOf(seed)
  const ours = encodeBase64(publicKey)
  if (folder.rootKey !== null && folder.rootKey !== ours) {
    throw new KeysMissing(`${path} is not this site's root key (${folder.rootKey}). Put the right one back.`)
  }
  if (folder.rootKey === null) await noteRootKey(dataFolder, ours)
  return { publicKey, sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, key)) }
}

async function readSeed(path: string): Promise<Uint8Array | null> {
  const text = await readIfThere(path)
  if (text === null) return null
  try {
    const { seed } = JSON.parse(text) as { seed?: unknown }
    const bytes = typeof seed === 'string' ? Buffer.from(seed, 'base64') : null
    if (bytes?.length === 32) return bytes
  } catch {}
  throw new KeysMissing(`${path} is damaged: put it back from a backup.`)
}

/** A card that is missing or damaged is no loss: the next one has a higher serial, because serials are times. */
async function readCardFile(path: string): Promise<Card | null> {
  const text = await readIfThere(path)
  const reading = text === null ? null : readCardText(text, verify)
  return reading?.kind === 'card' ? reading.card : null
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

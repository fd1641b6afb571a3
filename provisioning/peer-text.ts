/** Peers as the command `letro peer` shows them: for somebody who was woken by a telephone. */
import type { Card } from '#protocol/card.ts'
import { fingerprintLines } from '#protocol/fingerprint-words.ts'

/** A peer as the administration API answers (server/admin-api/README.md). */
export interface ShownPeer {
  readonly server_name: string
  readonly kind: 'site' | 'homeserver'
  readonly suspended: boolean
  readonly after_repair?: boolean
  readonly direction: 'both' | 'inbound' | 'outbound' | 'verify-only'
  readonly transport: string
  readonly address: { readonly host: string; readonly port: number }
  readonly fingerprint: readonly string[]
  readonly serial?: number
  readonly issued_ts?: number
  readonly signing_keys: readonly { readonly id: string; readonly expired_ts?: number }[]
  readonly tls: { readonly spki_sha256: readonly string[]; readonly ca: boolean }
  readonly residency?: string
  readonly note?: string
  readonly pinned_by: string
  readonly pinned_ts: number
  readonly conflict?: { readonly serial: number; readonly seen_ts: number }
  readonly outbound?: {
    readonly length: number
    readonly oldest_ts?: number
    readonly last_error?: string
    readonly next_try_ts?: number
  }
}

const ways: Readonly<Record<ShownPeer['direction'], string>> = {
  both: 'both ways',
  inbound: 'receives nothing, may send to us',
  outbound: 'may send nothing, receives from us',
  'verify-only': 'nothing goes either way; its old messages can be checked',
}

/** One line a peer. */
export function listLine(peer: ShownPeer): string {
  const state = peer.suspended ? 'SUSPENDED' : ways[peer.direction]
  const alarm = peer.conflict ? '  ALARM: see letro peer status' : ''
  const waiting = peer.outbound && peer.outbound.length > 0 ? `, ${peer.outbound.length} waiting` : ''
  return `${peer.server_name}  (${peer.kind}, ${state}${waiting})${alarm}`
}

export function statusText(peer: ShownPeer): string {
  const { outbound, tls } = peer
  const rows: [string, string][] = [
    ['State', stateOf(peer)],
    ['Dialled at', hostPort(peer.address) + (peer.transport === 'bundle' ? ' (not dialled: by bundle)' : '')],
    ['Pinned', `${time(peer.pinned_ts)} by ${peer.pinned_by}`],
  ]
  if (peer.serial !== undefined)
    rows.push(['Card', `serial ${peer.serial}, signed ${time(peer.issued_ts ?? 0)}`])
  for (const key of peer.signing_keys)
    rows.push([
      'Signing key',
      `${key.id}${key.expired_ts === undefined ? '' : `, for what was signed until ${time(key.expired_ts)}`}`,
    ])
  const certificates = [
    ...(tls.spki_sha256.length > 0 ? [`by its key (${tls.spki_sha256.length})`] : []),
    ...(tls.ca ? ['by an authority'] : []),
  ]
  rows.push(['Certificate', certificates.join(', or ') || 'none is known: no connection is possible'])
  if (peer.residency !== undefined) rows.push(['Jurisdiction', peer.residency])
  if (peer.note !== undefined) rows.push(['Note', peer.note])
  if (outbound) {
    const since = outbound.oldest_ts === undefined ? '' : `, the oldest since ${time(outbound.oldest_ts)}`
    rows.push(['Waiting', outbound.length === 0 ? 'nothing' : `${outbound.length}${since}`])
    if (outbound.last_error !== undefined) rows.push(['Last error', outbound.last_error])
    if (outbound.next_try_ts !== undefined) rows.push(['Next attempt', time(outbound.next_try_ts)])
  }
  const alarm = peer.conflict
    ? `\n  ALARM  ${time(peer.conflict.seen_ts)}: a second card with the serial ${peer.conflict.serial} was seen, signed by the same root key.
         Somebody else may hold that key. Suspend ${peer.server_name}, and call its administrator.\n`
    : ''
  return `${peer.server_name}  (${peer.kind})\n${alarm}${table(rows)}`
}

function stateOf(peer: ShownPeer): string {
  if (peer.after_repair) {
    return 'SUSPENDED since the data was repaired: this pin may be older than it was. Compare its key, then resume it'
  }
  return peer.suspended ? 'SUSPENDED: nothing goes either way' : ways[peer.direction]
}

export function cardText(card: Card): string {
  return table([
    ['Card of', card.serverName],
    ['Dialled at', hostPort(card.address)],
    ['Jurisdiction', card.residency ?? '(not said)'],
    ['People open', card.origins.join(', ')],
    ['Signed', `${time(card.issuedTs)}, serial ${card.serial}`],
  ])
}

export function wordsText(words: readonly string[]): string {
  return `${fingerprintLines(words)
    .map(line => `    ${line}`)
    .join('\n')}\n`
}

export function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `  ${name.padEnd(13)} ${printable(value)}\n`).join('')
}

/** What others wrote must not move the cursor. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '·')
}

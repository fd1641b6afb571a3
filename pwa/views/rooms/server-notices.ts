/**
 * What our server has to tell this person, as it lies in their account data (`org.letro.administration`: notices, newest last,
 * see server/admin-api/README.md): what is new since they saw the last of it. Pure.
 *
 * Of health only what is the case still counts, as one word: how urgent. What exactly, the administration says.
 */
import type { JsonObject } from '#protocol/json.ts'

export const noticesType = 'org.letro.administration'

export interface ServerNotice {
  /** A text of ours: `notices.<name>`. */
  readonly name:
    | 'alarm'
    | 'warning'
    | 'endsSoon'
    | 'ended'
    | 'peerConflict'
    | 'passkeyCopied'
    | 'recovered'
    | 'other'
  /** A person or a server; empty where it is about this server. */
  readonly target: string
  /** Of an account: its end. */
  readonly expiresTs?: number
  /** What a text of ours is missing for. */
  readonly action: string
}

const names: Readonly<Record<string, ServerNotice['name']>> = {
  'account.ends-soon': 'endsSoon',
  'account.ended': 'ended',
  'peer.card-conflict': 'peerConflict',
  'passkey.counter-regression': 'passkeyCopied',
  'administrator.recover': 'recovered',
}
const longestName = 255
const most = 4

/** @param seenTs what came until then was seen */
export function newNotices(
  content: JsonObject | null,
  seenTs: number,
): { notices: ServerNotice[]; lastTs: number } {
  const entries = (Array.isArray(content?.['notices']) ? content['notices'] : []).filter(isEntry)
  const open = new Map<string, 'alarm' | 'warning'>()
  const others: ServerNotice[] = []
  for (const { ts, action, target, finding, expires_ts: expiresTs } of entries) {
    if (action === 'health.over') open.delete(keyOf(finding))
    if (ts <= seenTs || action === 'health.over') continue
    if (action === 'health.found')
      open.set(keyOf(finding), finding?.['severity'] === 'alarm' ? 'alarm' : 'warning')
    else {
      others.push({
        name: names[action] ?? 'other',
        action: action.slice(0, longestName),
        target: target.slice(0, longestName),
        ...(typeof expiresTs === 'number' && Math.abs(expiresTs) < 8.64e15 ? { expiresTs } : {}),
      })
    }
  }
  const worst = [...open.values()].includes('alarm') ? 'alarm' : open.size > 0 ? 'warning' : null
  const health: ServerNotice[] = worst === null ? [] : [{ name: worst, target: '', action: 'health.found' }]
  return {
    notices: [...health, ...others.reverse()].slice(0, most),
    lastTs: Math.max(0, ...entries.map(({ ts }) => ts)),
  }
}

interface Entry {
  readonly ts: number
  readonly action: string
  readonly target: string
  readonly finding?: JsonObject
  readonly expires_ts?: unknown
}

function isEntry(value: unknown): value is Entry {
  const { ts, action, target } = (value ?? {}) as Record<string, unknown>
  return typeof ts === 'number' && typeof action === 'string' && typeof target === 'string'
}

function keyOf(finding: JsonObject | undefined): string {
  return `${finding?.['code']} ${finding?.['subject'] ?? ''}`
}

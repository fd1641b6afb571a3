/**
 * Findings and audit entries as syslog lines.
 *
 * Spec: RFC 5424. Structured data are the registered `timeQuality` and `origin` alone: an element of our own would need a
 * private enterprise number (6.3.2), which this project has not. What happened is the message, a JSON object in ASCII.
 *
 * What leaves the server by this way is read by people who are no administrators of it. So a line has no content, no room,
 * no address, and nobody's name: a person is a pseudonym, the same in all lines, that only somebody with the audit itself
 * can resolve (the entry with the same `sequence`). What an entry has in `detail` stays here.
 */
import { createHmac } from 'node:crypto'
import type { AuditEntry } from '../protocol/audit-chain.ts'
import { parseServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { FindingLogRow } from '../store/catalogue.ts'

export interface LineOrigin {
  /** What names this server in HOSTNAME. */
  readonly hostname: string
  readonly version: string
  /** Keys the pseudonyms. */
  readonly pseudonymKey: Uint8Array
}

/** RFC 5424, 6.2.1. */
const facilityDaemon = 3
const facilityAudit = 13
const severityOf = { alarm: 1, warning: 4, note: 6 } as const
const severityNotice = 5

export function findingLine(entry: FindingLogRow & { readonly number: number }, origin: LineOrigin): string {
  const { number, ts, change, code, severity, subject, facts } = entry
  const message = { number, change, code, severity, ...(subject === undefined ? {} : { subject }), facts }
  const level = change === 'over' ? severityNotice : severityOf[severity]
  return line(facilityDaemon, level, ts, 'health', message, origin)
}

export function auditLine(entry: AuditEntry, origin: LineOrigin): string {
  const { sequence, ts, actor, action, target, previous, hash } = entry
  const message = {
    sequence,
    action,
    actor: actorName(actor, origin),
    ...(target === undefined ? {} : { target: targetName(action, target, origin) }),
    previous,
    hash,
  }
  return line(facilityAudit, severityNotice, ts, 'audit', message, origin)
}

function line(
  facility: number,
  severity: number,
  ts: number,
  messageId: string,
  message: JsonObject,
  { hostname, version }: LineOrigin,
): string {
  const time = new Date(ts).toISOString()
  const structured = `[timeQuality tzKnown="1"][origin software="letro" swVersion="${version}"]`
  const header = `<${facility * 8 + severity}>1 ${time} ${hostname} letro - ${messageId}`
  return `${header} ${structured} ${asciiJson(message)}`
}

/** MSG-ANY without a byte order mark may be read as anything (6.4); ASCII is the same to everybody. */
function asciiJson(message: JsonObject): string {
  return JSON.stringify(message).replaceAll(
    /[\u007f-\uffff]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** RFC 5424, 6.2.4: a name without a port. */
export function syslogHostname(serverName: string): string {
  return serverName.replace(/:[0-9]+$/, '')
}

/** `token`, `local`, `system` are nobody. */
function actorName(actor: string, origin: LineOrigin): string {
  return /^[a-z][a-z-]{0,31}$/.test(actor) ? actor : pseudonym(actor, origin)
}

/** Other servers are named; everything else may be, or lead to, a person. */
function targetName(action: string, target: string, origin: LineOrigin): string {
  const isServer = action.startsWith('peer.') && parseServerName(target) !== null
  return isServer ? target : pseudonym(target, origin)
}

function pseudonym(name: string, { pseudonymKey }: LineOrigin): string {
  return `p-${createHmac('sha256', pseudonymKey).update(name).digest('base64url').slice(0, 16)}`
}

/**
 * Whose clock an appliance follows: the member `time` of letro.json, and the file time.json of a running one.
 *
 *     "time": {"servers": ["ntp.clinic.example", "192.0.2.123"], "nts": false}
 *
 * Without servers the clock is set by hand. nts: each of them proves by a certificate who it is (RFC 8915).
 */
import { parseIp } from './ip-address.ts'
import { isObject, type JsonObject } from './json.ts'
import { type FieldProblem, onlyKnown, type Parsed } from './network-settings.ts'

export interface TimeSettings {
  readonly servers: readonly string[]
  readonly nts: boolean
}

export const maxTimeServers = 8

export function isTimeServer(value: unknown): value is string {
  if (typeof value !== 'string') return false
  if (parseIp(value) !== null) return true
  return /^[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$/.test(value) && !/^[0-9.]+$/.test(value)
}

/** @param field where the object stands; empty: it is the file itself */
export function parseTimeSettings(json: unknown, field = 'time'): Parsed<TimeSettings> {
  const prefix = field === '' ? '' : `${field}.`
  if (!isObject(json))
    return { ok: false, problems: [{ field: field || '(the file)', sentence: 'it must be an object' }] }
  const problems: FieldProblem[] = []
  onlyKnown(json, ['servers', 'nts'], prefix, (at, sentence) => void problems.push({ field: at, sentence }))
  const { servers = [], nts = false } = json
  const isList = Array.isArray(servers) && servers.length <= maxTimeServers && servers.every(isTimeServer)
  if (!isList) {
    problems.push({
      field: `${prefix}servers`,
      sentence: 'what is needed is a list of at most eight names or addresses of time servers (NTP), or none',
    })
  }
  if (typeof nts !== 'boolean') {
    problems.push({
      field: `${prefix}nts`,
      sentence: 'what is needed is true, where the time servers speak NTS, or false',
    })
  } else if (isList && nts && servers.some(server => parseIp(server) !== null)) {
    problems.push({
      field: `${prefix}nts`,
      sentence: 'with NTS servers are known by their names: give no addresses',
    })
  }
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: { servers: servers as string[], nts: nts as boolean } }
}

export function timeJson({ servers, nts }: TimeSettings): JsonObject {
  return { servers: [...servers], nts }
}

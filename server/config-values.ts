/**
 * The values that a configuration can hold, each from what stands in the file or in the environment, where everything is
 * text. A parser answers undefined for what it does not take; the sentence about it stands with the key (config.ts).
 */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Limit } from './http/rate-limit.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

export function parseText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined
}

/**
 * The path of a PEM file, or certificates as PEM themselves: on an appliance nobody can put a file anywhere. A field of a page
 * takes the line breaks out of what is pasted into it; here they are put back.
 */
export function parseCertificates(value: unknown): string | undefined {
  const text = parseText(value)
  if (!text?.includes('-----BEGIN ')) return text
  const found = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)]
  const certificates = found.map(([, base64 = '']) => Buffer.from(base64, 'base64'))
  const isNothingElse = found.reduce((rest, [whole]) => rest.replace(whole, ''), text).trim() === ''
  if (!isNothingElse || !certificates.every(isCertificate)) return undefined
  return certificates.map(der => new X509Certificate(der).toString()).join('')
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.equals(der)
  } catch {
    return false
  }
}

/** In small letters. */
export function parseSha256(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value) ? value.toLowerCase() : undefined
}

/** From the environment everything comes as text. */
export function parseBoolean(value: unknown): boolean | undefined {
  if (value === true || value === 'true') return true
  return value === false || value === 'false' ? false : undefined
}

export function parseHostPort(value: unknown): HostPort | undefined {
  if (typeof value !== 'string') return undefined
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})$/.exec(value)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) return undefined
  return { host, port }
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function parseOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const { hostname, protocol } = url
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocalName(hostname))) return undefined
  if (url.username !== '' || url.password !== '' || url.pathname !== '/') return undefined
  if (value.includes('?') || value.includes('#') || hostname.endsWith('.')) return undefined
  // The URL parser has turned every way to write an IPv4 address (decimal, octal, hex) into the dotted one.
  if (isIP(hostname) !== 0 || hostname.startsWith('[')) return undefined
  return url.origin
}

export function isLocalName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

export function isLoopback(host: string): boolean {
  return isLocalName(host) || host === '::1' || /^127\./.test(host)
}

export function parseDays(value: unknown): number | undefined {
  const days = typeof value === 'string' && /^[0-9]{1,3}$/.test(value) ? Number(value) : value
  return Number.isInteger(days) && (days as number) >= 0 && (days as number) <= 365
    ? (days as number)
    : undefined
}

/** From the environment: with commas between them. */
export function parseHosts(value: unknown): readonly string[] | undefined {
  const hosts =
    typeof value === 'string' ? value.split(',').flatMap(host => host.trim() || []) : (value as unknown[])
  if (!Array.isArray(hosts)) return undefined
  const isHost = (host: unknown): host is string =>
    typeof host === 'string' &&
    host.length <= 253 &&
    /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?$/.test(host)
  return hosts.every(isHost) ? hosts : undefined
}

const units = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }

export function parseBytes(value: unknown): number | undefined {
  const match = /^([0-9]{1,12}) ?(B|KiB|MiB|GiB|TiB)$/.exec(String(value))
  if (!match) return undefined
  const bytes = Number(match[1]) * units[match[2] as keyof typeof units]
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}

const perSeconds = { s: 1, m: 60, h: 3600 }

export function parseRate(value: unknown): Limit | undefined {
  const match = /^([0-9]{1,7}(?:\.[0-9]{1,3})?)\/(s|m|h) burst ([0-9]{1,7})$/.exec(String(value))
  if (!match) return undefined
  const perSecond = Number(match[1]) / perSeconds[match[2] as keyof typeof perSeconds]
  const burst = Number(match[3])
  return perSecond > 0 && burst >= 1 ? { perSecond, burst } : undefined
}

export function formatRate({ perSecond, burst }: Limit): string {
  return perSecond >= 1 ? `${perSecond}/s burst ${burst}` : `${perSecond * 60}/m burst ${burst}`
}

export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

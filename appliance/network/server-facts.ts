/**
 * What the running server says about whom it talks to: its configuration and its peers, by the administration API's socket.
 *
 * Kept in settings/firewall.json, so that the next start has its rules before the server answers.
 */
import { request } from 'node:http'
import { join } from 'node:path'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { adminSocket } from '#protocol/local-request.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

export interface ServerFacts {
  readonly openPorts: readonly number[]
  readonly federationPort: number | null
  /** Those that are dialled and answered: neither suspended nor pinned to check signatures alone. */
  readonly peers: readonly HostPort[]
  /** Host names; `*.` in front allows all below. */
  readonly pushHosts: readonly string[]
  /** SFTP for backups, the syslog collector. */
  readonly others: readonly HostPort[]
}

/** null: the server does not answer. */
export async function askServer(siteFolder: string): Promise<ServerFacts | null> {
  const socket = join(siteFolder, 'data', adminSocket)
  const [configuration, peers] = await Promise.all([ask(socket, '/configuration'), ask(socket, '/peers')])
  return configuration && peers ? factsFrom(configuration, peers) : null
}

/** From the answers to GET /configuration and GET /peers. */
export function factsFrom(configuration: JsonObject, peers: JsonObject): ServerFacts {
  const settings = new Map(
    listOf(configuration['settings']).map(each => [each['key'], settingOf(each['value'])]),
  )
  const listens = (key: string) => {
    const at = hostPortIn(settings.get(key))
    return at && !isLoopback(at.host) ? at.port : null
  }
  const sftp = settings.get('backup.sftp')
  return {
    openPorts: ['listen.client', 'listen.trust_page'].flatMap(key => listens(key) ?? []),
    federationPort: listens('listen.federation'),
    peers: listOf(peers['peers']).flatMap(peer => {
      if (peer['suspended'] === true || peer['direction'] === 'verify-only' || peer['transport'] !== 'https')
        return []
      return placeOf(peer['address']) ?? []
    }),
    pushHosts: textsOf(settings.get('push.hosts')),
    others: [
      hostPortIn(settings.get('syslog.address')),
      typeof sftp === 'string' ? sftpPlace(sftp) : null,
    ].filter(place => place !== null),
  }
}

/** From the file that was kept; null: it is none. */
export function parseServerFacts(json: unknown): ServerFacts | null {
  if (!isObject(json)) return null
  const { openPorts, federationPort, peers, pushHosts, others } = json
  if (!Array.isArray(openPorts) || !openPorts.every(isPort)) return null
  if (federationPort !== null && !isPort(federationPort)) return null
  return {
    openPorts: openPorts as number[],
    federationPort: federationPort as number | null,
    peers: listOf(peers).flatMap(each => placeOf(each) ?? []),
    pushHosts: textsOf(pushHosts),
    others: listOf(others).flatMap(each => placeOf(each) ?? []),
  }
}

// ── members ──────────────────────────────────────────────────────────────────────────────────────────

/** Names and addresses go into rules and to the resolver: nothing else does. */
const isHost = (host: unknown): host is string =>
  typeof host === 'string' && /^[0-9A-Za-z_.:-]{1,253}$/.test(host)
const isPort = (port: unknown): port is number =>
  Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535

function placeOf(json: unknown): HostPort | null {
  if (!isObject(json)) return null
  const { host, port } = json
  return isHost(host) && isPort(port) ? { host, port } : null
}

function hostPortIn(text: unknown): HostPort | null {
  const match =
    typeof text === 'string' ? /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) : null
  return placeOf({ host: match?.[1] ?? match?.[2], port: Number(match?.[3]) })
}

function sftpPlace(text: string): HostPort | null {
  if (!URL.canParse(text)) return null
  const { protocol, hostname, port } = new URL(text)
  return protocol === 'sftp:'
    ? placeOf({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 22) })
    : null
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host.startsWith('127.')
}

/** As it would stand in letro.toml: of what matters here, JSON is the same. */
function settingOf(text: unknown): Json | undefined {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as Json) : undefined
  } catch {
    return undefined
  }
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter(text => typeof text === 'string' && /^[*0-9A-Za-z.-]{1,253}$/.test(text))
    : []
}

const silenceMs = 10_000
const maxBytes = 16 * 1024 * 1024

function ask(socketPath: string, path: string): Promise<JsonObject | null> {
  return new Promise(resolve => {
    const asked = request({ socketPath, path: `/_letro/admin/v1${path}`, timeout: silenceMs }, answer => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > maxBytes) asked.destroy()
        else parts.push(part)
      })
      answer.on('error', () => resolve(null))
      answer.on('close', () => resolve(null))
      answer.on('end', () => {
        try {
          const json: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
          resolve(answer.statusCode === 200 && isObject(json) ? json : null)
        } catch {
          resolve(null)
        }
      })
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(null))
    asked.end()
  })
}

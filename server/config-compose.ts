/** The configuration from its values: what they mean together, what is derived, what one may not say without another. */
import type { Config } from './config.ts'
import { composeBackup } from './config-backup.ts'
import { settings, type Values } from './config-keys.ts'
import { ConfigError, show } from './config-problems.ts'
import {
  formatHostPort,
  type HostPort,
  isLocalName,
  isLoopback,
  parseOrigin,
  snakeCase,
} from './config-values.ts'
import { type Limit, type LimitName, limitDefaults } from './http/rate-limit.ts'
import type { ServerName } from './protocol/ids.ts'

/** Throws ConfigError. */
export function compose(values: Values): { config: Omit<Config, 'shown' | 'given'>; warnings: string[] } {
  const warnings: string[] = []
  const client = values['listen.client']!
  const trial = values['server.name'] === undefined
  const name = values['server.name'] ?? ('localhost' as ServerName)
  const tls = pairOf(values, 'tls.certificate', 'tls.key')
  const tlsAuthority = values['tls.authority'] ?? null
  if (tls && tlsAuthority) {
    throw new ConfigError([
      {
        key: 'tls.authority',
        value: show(tlsAuthority),
        allowed: 'tls.certificate and tls.key are given as well: either those files, or this',
      },
    ])
  }
  const hasTls = tls !== null || tlsAuthority !== null
  const origin = values['server.origin'] ?? defaultOrigin(name, client, hasTls)
  if (tlsAuthority && origin.startsWith('http:')) {
    throw new ConfigError([
      {
        key: 'tls.authority',
        value: show(tlsAuthority),
        allowed: `server.origin = ${origin} is no https URL: people would be answered by TLS at an address that is without`,
      },
    ])
  }
  warnings.push(...originWarnings(origin))
  if (!isLoopback(client.host) && !hasTls) {
    warnings.push(
      `listen.client = ${formatHostPort(client)} answers beyond this machine without TLS: whoever is on the way reads access tokens. Set tls.certificate and tls.key or tls.authority, or listen on localhost behind a TLS proxy.`,
    )
  }
  if (values['admin.token_file'] !== undefined) {
    warnings.push(
      'admin.token_file is set: whoever reads that file administers this server, without a passkey and without a name in the audit.',
    )
  }
  if (!values['limits.enabled']) {
    warnings.push(
      'limits.enabled = false: nothing slows down who guesses or floods. For tests and benchmarks only.',
    )
  }
  const rates = Object.fromEntries(
    Object.keys(limitDefaults).map(limit => [
      limit,
      (values as Record<string, unknown>)[`limits.${snakeCase(limit)}`],
    ]),
  ) as Record<LimitName, Limit>
  const backup = composeBackup(values)
  if ('because' in backup) {
    const allowed = `needed, because ${backup.because} is given`
    throw new ConfigError([{ key: backup.key, value: '(nothing)', allowed }])
  }
  const config: Omit<Config, 'shown' | 'given'> = {
    server: { name, trial, origin, data: values['server.data']! },
    listen: {
      client,
      federation: values['listen.federation'] ?? null,
      trustPage: values['listen.trust_page'] ?? null,
    },
    federation: {
      address: values['federation.address'] ?? defaultAddress(name, values['listen.federation']),
      residency: values['federation.residency'] ?? null,
    },
    tls,
    tlsAuthority,
    accounts: {
      registration: values['accounts.registration']!,
      passwords: values['accounts.passwords']!,
      firstAdministrator: values['accounts.first_administrator']!,
    },
    limits: {
      enabled: values['limits.enabled']!,
      rates,
      uploadBytes: values['limits.upload_size']!,
      mediaQuotaBytes: values['limits.media_quota']!,
    },
    admin: { tokenFile: values['admin.token_file'] ?? null },
    metrics: composeMetrics(values),
    syslog: composeSyslog(values),
    appliance: {
      report: values['appliance.report'] ?? null,
      updateSocket: values['appliance.update_socket'] ?? null,
    },
    devices: { lockAfterDays: values['devices.lock_after_days']! },
    presence: { enabled: values['presence.enabled']! },
    push: { hosts: values['push.hosts']! },
    backup,
  }
  return { config, warnings }
}

function composeMetrics(values: Values): Config['metrics'] {
  const { 'metrics.token_file': tokenFile = null, 'metrics.token_sha256': tokenSha256 = null } = values
  if (tokenFile === null || tokenSha256 === null) return { tokenFile, tokenSha256 }
  const allowed = 'nothing, because metrics.token_file is given: one of the two'
  throw new ConfigError([{ key: 'metrics.token_sha256', value: tokenSha256, allowed }])
}

function composeSyslog(values: Values): Config['syslog'] {
  const address = values['syslog.address']
  const identity = pairOf(values, 'syslog.certificate', 'syslog.key')
  const authority = values['syslog.authority'] ?? null
  if (address !== undefined) return { address, authority, identity }
  if (authority === null && identity === null) return null
  throw new ConfigError([
    { key: 'syslog.address', value: '(nothing)', allowed: 'needed, because other keys of syslog are given' },
  ])
}

type FileKey = 'tls.certificate' | 'tls.key' | 'syslog.certificate' | 'syslog.key'

/** A certificate and its key: both or none. */
function pairOf(
  values: Values,
  certificateKey: FileKey,
  keyKey: FileKey,
): { readonly certificate: string; readonly key: string } | null {
  const { [certificateKey]: certificate, [keyKey]: key } = values
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate === undefined && key === undefined) return null
  const [there, missing] = key === undefined ? [certificateKey, keyKey] : [keyKey, certificateKey]
  throw new ConfigError([
    { key: missing, value: '(nothing)', allowed: `needed, because ${there} is given: both or none` },
  ])
}

/** Spec: server-server-api#resolving-server-names: 8448 where the name has no port. */
function defaultAddress(name: ServerName, listen: HostPort | undefined): HostPort {
  const [, host = '', port] = /^\[?([^\]]*?)\]?(?::([0-9]{1,5}))?$/.exec(name) ?? []
  return { host, port: port === undefined ? (listen?.port ?? 8448) : Number(port) }
}

function defaultOrigin(name: ServerName, client: HostPort, tls: boolean): string {
  const host = name.replace(/:[0-9]+$/, '')
  if (host === 'localhost') return `${tls ? 'https' : 'http'}://localhost:${client.port}`
  const origin = parseOrigin(`https://${host}`)
  if (origin !== undefined) return origin
  throw new ConfigError([
    {
      key: 'server.origin',
      value: '(nothing)',
      allowed: `needed, because server.name = ${name} is no name that people could open: ${settings['server.origin'].allowed}`,
    },
  ])
}

function originWarnings(origin: string): string[] {
  const { hostname } = new URL(origin)
  if (isLocalName(hostname)) return []
  if (!hostname.includes('.')) {
    return [
      `server.origin = ${origin}: a name without a dot gets no publicly trusted certificate, and a search domain can make it mean another machine.`,
    ]
  }
  if (hostname.endsWith('.local')) {
    return [
      `server.origin = ${origin}: .local names are answered by whoever shouts first on the network, and get no publicly trusted certificate.`,
    ]
  }
  return []
}

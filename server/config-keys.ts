/**
 * The keys of the configuration: one table says everything about each: name, what is allowed, default, one line of documentation.
 *
 * The names in the environment, the refusals and `letro.example.toml` come from it.
 */
import { backupSettings } from './config-backup.ts'
import { choice, type Setting, setting } from './config-setting.ts'
import {
  formatRate,
  parseBoolean,
  parseBytes,
  parseCertificates,
  parseDays,
  parseHostPort,
  parseHosts,
  parseOrigin,
  parseRate,
  parseSha256,
  parseText,
  snakeCase,
} from './config-values.ts'
import { type Limit, type LimitName, limitDefaults } from './http/rate-limit.ts'
import { isResidency } from './protocol/card.ts'
import { isNewLocalpart, parseServerName } from './protocol/ids.ts'

export const settings = {
  'server.name': setting(
    value => parseServerName(value) ?? undefined,
    'a server name: a DNS name, with a port where it needs one',
    '',
    'The part behind the colon in every user id. It can never change: choose it before the first real account. Without it the server is a trial named "localhost".',
  ),
  'server.origin': setting(
    parseOrigin,
    'an https URL of a DNS name without a path (http and "localhost" for a trial on this machine only; no IP address)',
    '',
    'The address that people open. Passkeys are bound to its host, so the host cannot change once a passkey exists. Default: https and the host of server.name.',
  ),
  'server.data': setting(parseText, 'the path of a folder', '"data"', 'Where everything is kept.'),
  'listen.client': setting(
    parseHostPort,
    'host:port',
    '"localhost:8008"',
    'Where clients are answered. "0.0.0.0:8008" or "[::]:8008" answers from everywhere.',
  ),
  'listen.federation': setting(
    parseHostPort,
    'host:port',
    '',
    'Where other servers are answered, always by TLS: "[::]:8448". Without it this server speaks with no other one. Only servers that an administrator has pinned get more than our public keys.',
  ),
  'listen.trust_page': setting(
    parseHostPort,
    'host:port',
    '',
    'Where devices are told, by plain http, how they learn to trust the private authority (tls.authority): "[::]:80". Nothing else is answered there. Without it there is no such page.',
  ),
  'federation.address': setting(
    parseHostPort,
    'host:port',
    '',
    'Where other servers dial this one; it stands in the card that they pin. Default: the host of server.name, and its port or that of listen.federation.',
  ),
  'federation.residency': setting(
    value => (isResidency(value) ? value : undefined),
    'a jurisdiction in capitals such as "DE" or "CH-ZH"',
    '',
    'The jurisdiction in which this server keeps what it is sent; it stands in the card. Rooms may demand one.',
  ),
  'tls.certificate': setting(
    parseText,
    'the path of a PEM file',
    '',
    'The certificate and its chain. Without it, and without tls.authority, the server speaks plain http, for a proxy on the same machine.',
  ),
  'tls.key': setting(parseText, 'the path of a PEM file', '', 'The private key of the certificate.'),
  'tls.authority': choice<'own' | 'organisation'>(
    ['own', 'organisation'],
    '"own" or "organisation"',
    '',
    'In place of tls.certificate and tls.key: the server keeps its certificate in the data folder. "own": one of a private authority that can vouch for this server’s names alone; it renews itself, and people’s devices must trust that authority. "organisation": one that was brought by: letro certificate import.',
  ),
  'accounts.registration': choice<'invite' | 'open'>(
    ['invite', 'open'],
    '"invite" or "open"',
    '"invite"',
    'Who may make an account: people with an enrolment link or a registration token, or everybody.',
  ),
  'accounts.passwords': setting(
    parseBoolean,
    'true or false',
    'false',
    'Sign-in and registration by password, beside passkeys: for bots, tests and migration.',
  ),
  'accounts.first_administrator': setting(
    value => (typeof value === 'string' && isNewLocalpart(value) ? value : undefined),
    'the part of a user id before the colon, such as "amal"',
    '"admin"',
    'Whose link is printed at each start while nobody administers this server.',
  ),
  'limits.enabled': setting(
    parseBoolean,
    'true or false',
    'true',
    'Rate limits count each person, or each network address where nobody is signed in.',
  ),
  ...rateSettings(),
  'limits.upload_size': setting(parseBytes, 'a size such as "100 MiB"', '"100 MiB"', 'The largest file.'),
  'limits.media_quota': setting(
    parseBytes,
    'a size such as "100 MiB"',
    '"10 GiB"',
    'What all files of one person may take together.',
  ),
  'admin.token_file': setting(
    parseText,
    'the path of a file',
    '',
    'A file with a bearer token for the administration API: for automation. Off by default: whoever reads the file is an administrator.',
  ),
  'metrics.token_file': setting(
    parseText,
    'the path of a file',
    '',
    'A file with a bearer token for /_letro/metrics, where Prometheus reads how this server is: numbers, and names of peers. Off by default.',
  ),
  'metrics.token_sha256': setting(
    parseSha256,
    '64 hexadecimal digits',
    '',
    'In place of that file: the SHA-256 of the token. The token itself, at random and at least 32 characters long, stays with Prometheus.',
  ),
  'syslog.address': setting(
    parseHostPort,
    'host:port',
    '',
    'A collector that gets health and audit by syslog over TLS (RFC 5425, usually port 6514). People are pseudonyms there. Off by default. The first time it gets the whole audit.',
  ),
  'syslog.authority': setting(
    parseCertificates,
    'the path of a PEM file, or what is in it',
    '',
    'The authority that issued the collector’s certificate. Default: those that the machine trusts.',
  ),
  'syslog.certificate': setting(
    parseText,
    'the path of a PEM file',
    '',
    'The certificate with which this server shows the collector who it is, where that asks for one.',
  ),
  'syslog.key': setting(parseText, 'the path of a PEM file', '', 'The private key of that certificate.'),
  'appliance.report': setting(
    parseText,
    'the path of a file',
    '',
    'Where the appliance says how its machine is: releases, Secure Boot, TPM. Set by the appliance itself; nothing for other machines.',
  ),
  'appliance.update_socket': setting(
    parseText,
    'the path of a socket',
    '',
    'Where the updater of the appliance answers; its unit sets it. Elsewhere there is none.',
  ),
  'devices.lock_after_days': setting(
    parseDays,
    'a number of days, 0 to 365',
    '30',
    'A device that had no contact with the server for so long locks itself until it has. 0: never.',
  ),
  'presence.enabled': setting(
    parseBoolean,
    'true or false',
    'false',
    'Whether people see who is there, and people of pinned servers as well. It tells when somebody works.',
  ),
  'push.hosts': setting(
    parseHosts,
    'a list of host names such as ["updates.push.services.mozilla.com"]; "*." in front allows all names below',
    '[]',
    'Push services of browser vendors that this server may reach, so that a phone rings while Letro is closed. They learn when a device is rung, never by whom or why. Chrome: "fcm.googleapis.com"; Firefox: "updates.push.services.mozilla.com"; Safari: "*.push.apple.com"; Edge: "*.notify.windows.com".',
  ),
  ...backupSettings,
} as const satisfies Readonly<Record<string, Setting<unknown>>>

type Settings = typeof settings
export type Key = keyof Settings
export type Values = { -readonly [K in Key]?: Settings[K] extends Setting<infer T> ? T : never }

function rateSettings() {
  const entries = Object.entries(limitDefaults).map(([name, limit]) => [
    `limits.${snakeCase(name)}`,
    setting(
      parseRate,
      'a rate such as "20/s burst 200" (per s, m or h)',
      `"${formatRate(limit)}"`,
      `Limits ${limit.covers}.`,
    ),
  ])
  return Object.fromEntries(entries) as Record<`limits.${LimitName}`, Setting<Limit>>
}

export const configKeys: readonly string[] = Object.keys(settings)

export function environmentName(key: string): string {
  return `LETRO_${key.replaceAll('.', '_').toUpperCase()}`
}

/** letro.example.toml: every key with its line of documentation, commented out where it has no default. */
export function exampleToml(): string {
  const lines = [
    '# Letro’s configuration. Every key may be left out; what stands here is the default.',
    '# The environment overrides the file: server.name is LETRO_SERVER_NAME, accounts.passwords LETRO_ACCOUNTS_PASSWORDS.',
    '# This file is made from server/config-keys.ts: npm start -- --example-config',
  ]
  let table = ''
  let allowedAbove = ''
  for (const [key, { allowed, byDefault, doc }] of Object.entries(settings)) {
    const [section, name] = key.split('.') as [string, string]
    if (section !== table) lines.push('', `[${section}]`)
    table = section
    lines.push(`# ${doc}`)
    if (allowed !== allowedAbove) lines.push(`# Allowed: ${allowed}.`)
    allowedAbove = allowed
    lines.push(byDefault === '' ? `# ${name} = ""` : `${name} = ${byDefault}`)
  }
  return `${lines.join('\n')}\n`
}

/**
 * What a new site must know, and the file in which it can stand (`letro.json`): for `letro init --answers FILE`, and for the
 * stick with which an appliance is set up.
 *
 *     {
 *       "letro": 1,
 *       "server_name": "clinic.example",            can never change
 *       "origin": "https://chat.clinic.example",    its host can never change
 *       "administrator": "amal",                    @amal:clinic.example gets the first link
 *       "certificate": {"from": "own"}
 *                  or  {"from": "organisation", "file": "chain.pem", "key": …, "passphrase_file": …}
 *                  or  {"from": "organisation"}     a request is made; the certificate is brought later
 *                  or  {"from": "files", "certificate": "/…/fullchain.pem", "key": "/…/privkey.pem"}
 *                  or  {"from": "proxy"}            something else on this machine speaks TLS
 *       "listen": {"client": "[::]:443", "federation": "[::]:8448",
 *                  "trust_page": "[::]:80"},          with "own" it is there unless this is null
 *       "federation": {"address": "clinic.example:8448", "residency": "DE"},
 *       "time": {"servers": ["ntp.clinic.example"], "nts": false},
 *       "peers": [{"card": {…}, "fingerprint": "sixteen words …"}],
 *       "network": {…}                             of an appliance: server/protocol/network-settings.ts
 *     }
 *
 * The first five are needed. Paths count from where the file lies. This file is pure: it parses, and names the field of
 * whatever is wrong, all at once.
 */
import { isResidency } from '#protocol/card.ts'
import { isNewLocalpart, parseServerName, type ServerName } from '#protocol/ids.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import {
  type Complain,
  type FieldProblem,
  type NetworkSettings,
  networkJson,
  onlyKnown,
  type Parsed,
  parseNetworkSettings,
} from '#protocol/network-settings.ts'
import {
  isTimeServer,
  maxTimeServers,
  parseTimeSettings,
  type TimeSettings,
  timeJson,
} from '#protocol/time-settings.ts'
import {
  formatHostPort,
  type HostPort,
  isLocalName,
  parseHostPort,
  parseOrigin,
} from '../server/config-values.ts'

export type CertificateChoice =
  | { readonly from: 'own' }
  | {
      readonly from: 'organisation'
      /** PEM or PKCS #12; absent: it is requested now, and brought later. */
      readonly file?: string
      readonly key?: string
      readonly passphraseFile?: string
    }
  | { readonly from: 'files'; readonly certificate: string; readonly key: string }
  | { readonly from: 'proxy' }

export interface PeerAnswer {
  /** As its administrator handed it out; whether it can be used, whoever pins it finds. */
  readonly card: JsonObject
  readonly fingerprint: string
}

export interface SiteAnswers {
  readonly serverName: ServerName
  /** Without a slash at the end. */
  readonly origin: string
  /** The part before the colon. */
  readonly administrator: string
  readonly certificate: CertificateChoice
  readonly listen: {
    readonly client: HostPort
    readonly federation: HostPort | null
    /** Where devices learn to trust the private authority. */
    readonly trustPage: HostPort | null
  }
  readonly federation: { readonly address: HostPort | null; readonly residency: string | null }
  /** Without servers the machine's time is somebody else's care; on an appliance it is set by hand. */
  readonly time: TimeSettings
  readonly peers: readonly PeerAnswer[]
  /** Of an appliance, which is the whole machine; null: not said. */
  readonly network: NetworkSettings | null
}

export type AnswerProblem = FieldProblem

export class AnswersWrong extends Error {
  readonly problems: readonly AnswerProblem[]
  constructor(problems: readonly AnswerProblem[]) {
    super(problems.map(({ field, sentence }) => `${field}: ${sentence}`).join('\n'))
    this.name = 'AnswersWrong'
    this.problems = problems
  }
}

/** The answer, or a sentence that says what is allowed. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly sentence: string }

// ── one answer at a time: the terminal asks with these as well ─────────────────────────────────────────

export function answerServerName(value: unknown): Answer<ServerName> {
  const name = parseServerName(typeof value === 'string' ? value.trim().toLowerCase() : value)
  if (!name) return no('a DNS name such as clinic.example, with a port only if it needs one')
  if (/^(?:\[|[0-9.]+(?::[0-9]+)?$)/.test(name)) {
    return no('a DNS name such as clinic.example (an IP address would stand in every user id for ever)')
  }
  if (isLocalName(name.replace(/:[0-9]+$/, ''))) {
    return no('a DNS name such as clinic.example ("localhost" is for a trial)')
  }
  return yes(name)
}

export function answerOrigin(value: unknown): Answer<string> {
  const text = typeof value === 'string' ? value.trim() : ''
  const origin = parseOrigin(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
  if (origin?.startsWith('https:')) return yes(origin)
  return no(
    'an https address with a DNS name and nothing behind it, such as https://chat.clinic.example (passkeys work with no IP address)',
  )
}

export function answerAdministrator(value: unknown): Answer<string> {
  const name = typeof value === 'string' ? value.trim().replace(/^@/, '').toLowerCase() : ''
  return name !== '' && isNewLocalpart(name)
    ? yes(name)
    : no('the part of a user id before the colon: letters a–z, digits and . _ = - /, such as amal')
}

export function answerHostPort(value: unknown): Answer<HostPort> {
  const at = parseHostPort(typeof value === 'string' ? value.trim() : value)
  return at ? yes(at) : no('host:port, such as [::]:8448 for every address of this machine')
}

export function answerTimeServers(value: unknown): Answer<readonly string[]> {
  const list = typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : value
  return Array.isArray(list) && list.length <= maxTimeServers && list.every(isTimeServer)
    ? yes(list)
    : no('a list of at most eight names or addresses of time servers (NTP), or none')
}

export function answerResidency(value: unknown): Answer<string> {
  return isResidency(value) ? yes(value) : no('a jurisdiction in capitals such as DE or CH-ZH')
}

// ── the whole file ───────────────────────────────────────────────────────────────────────────────────

const known: Readonly<Record<string, readonly string[]>> = {
  '': [
    'letro',
    'server_name',
    'origin',
    'administrator',
    'certificate',
    'listen',
    'federation',
    'time',
    'peers',
    'network',
  ],
  listen: ['client', 'federation', 'trust_page'],
  federation: ['address', 'residency'],
}
const certificateMembers: Readonly<Record<string, readonly string[]>> = {
  own: ['from'],
  organisation: ['from', 'file', 'key', 'passphrase_file'],
  files: ['from', 'certificate', 'key'],
  proxy: ['from'],
}

/** @throws AnswersWrong with all that is wrong */
export function parseSiteAnswers(json: unknown): SiteAnswers {
  if (!isObject(json)) throw new AnswersWrong([{ field: '(the file)', sentence: 'it must be a JSON object' }])
  const problems: AnswerProblem[] = []
  const complain = (field: string, sentence: string) => void problems.push({ field, sentence })
  const take = <T>(field: string, answer: Answer<T>): T | undefined => {
    if (answer.ok) return answer.value
    complain(field, `what is needed is ${answer.sentence}`)
    return undefined
  }
  const part = (name: string): JsonObject => {
    const value = json[name]
    if (value === undefined) return {}
    if (!isObject(value)) {
      complain(name, 'it must be an object')
      return {}
    }
    onlyKnown(value, known[name]!, `${name}.`, complain)
    return value
  }
  const wholePart = <T>(name: string, parse: (value: unknown, field: string) => Parsed<T>): T | null => {
    if (json[name] === undefined) return null
    const parsed = parse(json[name], name)
    if (parsed.ok) return parsed.value
    problems.push(...parsed.problems)
    return null
  }
  const ifThere = <T>(field: string, value: unknown, parse: (value: unknown) => Answer<T>): T | null =>
    value === undefined ? null : (take(field, parse(value)) ?? null)

  if (json['letro'] !== 1) {
    complain(
      'letro',
      json['letro'] === undefined
        ? 'it says which form the file has, and must be 1'
        : 'this release reads the form 1 alone',
    )
  }
  onlyKnown(json, known['']!, '', complain)
  const serverName = take('server_name', answerServerName(json['server_name']))
  const origin = take('origin', answerOrigin(json['origin']))
  const administrator = take('administrator', answerAdministrator(json['administrator']))
  const certificate = parseCertificate(json['certificate'], complain)
  const listen = part('listen')
  const federation = part('federation')
  const client = ifThere('listen.client', listen['client'], answerHostPort)
  // null: there is to be none.
  const trustPageOf = (value: unknown): HostPort | null => {
    if (value === undefined) return certificate?.from === 'own' ? { host: '::', port: 80 } : null
    return value === null ? null : (take('listen.trust_page', answerHostPort(value)) ?? null)
  }
  const port = origin === undefined ? 443 : Number(new URL(origin).port || 443)
  const answers = {
    listen: {
      client:
        client ?? (certificate?.from === 'proxy' ? { host: 'localhost', port: 8008 } : { host: '::', port }),
      federation: ifThere('listen.federation', listen['federation'], answerHostPort),
      trustPage: trustPageOf(listen['trust_page']),
    },
    federation: {
      address: ifThere('federation.address', federation['address'], answerHostPort),
      residency: ifThere('federation.residency', federation['residency'], answerResidency),
    },
    time: wholePart('time', parseTimeSettings) ?? { servers: [], nts: false },
    peers: parsePeers(json['peers'], complain),
    network: wholePart('network', parseNetworkSettings),
  }
  if (answers.peers.length > 0 && !answers.listen.federation) {
    complain(
      'listen.federation',
      'it is needed where peers are named: where this server answers them, such as [::]:8448',
    )
  }
  if (answers.listen.trustPage && certificate && certificate.from !== 'own') {
    complain('listen.trust_page', 'it is of use with the private authority alone ({"from": "own"})')
  }
  if (problems.length > 0) throw new AnswersWrong(problems)
  return {
    serverName: serverName!,
    origin: origin!,
    administrator: administrator!,
    certificate: certificate!,
    ...answers,
  }
}

function parseCertificate(value: unknown, complain: Complain): CertificateChoice | undefined {
  const from = isObject(value) ? value['from'] : undefined
  const members =
    typeof from === 'string' && Object.hasOwn(certificateMembers, from) ? certificateMembers[from] : undefined
  if (!isObject(value) || !members) {
    complain('certificate', 'what is needed is {"from": …} with "own", "organisation", "files" or "proxy"')
    return undefined
  }
  onlyKnown(value, members, 'certificate.', complain)
  const path = (name: string): string | undefined => {
    const text = value[name]
    if (text === undefined || (typeof text === 'string' && text !== '' && !text.includes('\0'))) return text
    complain(`certificate.${name}`, 'what is needed is the path of a file')
    return undefined
  }
  switch (from) {
    case 'files': {
      const [certificate, key] = [path('certificate'), path('key')]
      for (const [name, text] of Object.entries({ certificate, key })) {
        if (text === undefined && value[name] === undefined)
          complain(`certificate.${name}`, 'it is missing: the path of a PEM file')
      }
      return { from, certificate: certificate ?? '', key: key ?? '' }
    }
    case 'organisation': {
      const [file, key, passphraseFile] = [path('file'), path('key'), path('passphrase_file')]
      if (file === undefined && (key !== undefined || passphraseFile !== undefined)) {
        complain('certificate.file', 'it is missing: the certificate that belongs to the key')
      }
      return {
        from,
        ...(file === undefined ? {} : { file }),
        ...(key === undefined ? {} : { key }),
        ...(passphraseFile === undefined ? {} : { passphraseFile }),
      }
    }
    default:
      return { from: from as 'own' | 'proxy' }
  }
}

function parsePeers(value: unknown, complain: Complain): PeerAnswer[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    complain('peers', 'it must be a list')
    return []
  }
  return value.flatMap((peer: unknown, i) => {
    const field = `peers[${i}]`
    if (!isObject(peer) || !isObject(peer['card'])) {
      complain(
        field,
        'what is needed is {"card": …, "fingerprint": …} with the card that its administrator handed out',
      )
      return []
    }
    onlyKnown(peer, ['card', 'fingerprint'], `${field}.`, complain)
    const fingerprint =
      typeof peer['fingerprint'] === 'string' ? peer['fingerprint'].trim().toLowerCase().split(/\s+/) : []
    if (fingerprint.length !== 16) {
      complain(
        `${field}.fingerprint`,
        'what is needed are the sixteen words that its administrator read to you',
      )
      return []
    }
    return [{ card: peer['card'], fingerprint: fingerprint.join(' ') }]
  })
}

// ── as a file again ──────────────────────────────────────────────────────────────────────────────────

/** What was asked at the terminal, for the next time without one. */
export function answersJson(answers: SiteAnswers): JsonObject {
  const { certificate, listen, federation, time, peers, network } = answers
  const { passphraseFile, ...rest } = { passphraseFile: undefined, ...certificate }
  return {
    letro: 1,
    server_name: answers.serverName,
    origin: answers.origin,
    administrator: answers.administrator,
    certificate: { ...rest, ...(passphraseFile === undefined ? {} : { passphrase_file: passphraseFile }) },
    listen: {
      client: formatHostPort(listen.client),
      ...(listen.federation ? { federation: formatHostPort(listen.federation) } : {}),
      trust_page: listen.trustPage && formatHostPort(listen.trustPage),
    },
    federation: {
      ...(federation.address ? { address: formatHostPort(federation.address) } : {}),
      ...(federation.residency === null ? {} : { residency: federation.residency }),
    },
    time: timeJson(time),
    peers: peers.map(({ card, fingerprint }) => ({ card, fingerprint })),
    ...(network ? { network: networkJson(network) } : {}),
  }
}

const yes = <T>(value: T): Answer<T> => ({ ok: true, value })
const no = (sentence: string): { ok: false; sentence: string } => ({ ok: false, sentence })

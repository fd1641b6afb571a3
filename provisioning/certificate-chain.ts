/**
 * Certificates that were brought: which of them is the server's, what vouches for it, and what is wrong with it.
 *
 * Nothing is taken on trust from the order in a file: the server's certificate is the one whose key we hold, and each next
 * one must have signed the one before it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isFor } from './certificate-names.ts'

export interface Chain {
  readonly leaf: X509Certificate
  /** Nearest first. Without the topmost where the file leaves it out. */
  readonly above: readonly X509Certificate[]
  /** Of the server's certificate, PEM. */
  readonly key: string
  /** They stood in another order in the file. */
  readonly sorted: boolean
}

export type ChainRefusal =
  | 'NO_CERTIFICATE'
  | 'KEY_MISMATCH'
  | 'AUTHORITY_ALONE'
  | 'WRONG_CHAIN'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'OTHER_NAME'
  | 'NOT_FOR_SERVERS'
  | 'TOO_LONG'
  | 'WEAK_KEY'
  | 'WEAK_SIGNATURE'

export interface Complaint {
  readonly code: ChainRefusal
  /** What is wrong and what to do. */
  readonly sentence: string
}

export class ChainRefused extends Error {
  readonly complaints: readonly Complaint[]
  constructor(complaints: readonly Complaint[]) {
    super(complaints.map(({ sentence }) => sentence).join('\n'))
    this.name = 'ChainRefused'
    this.complaints = complaints
  }
}

const dayMs = 24 * 60 * 60 * 1000
/** Apple's devices take no longer one from any authority (support.apple.com/103769). */
const longestDays = 825

export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(
    /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g,
  )
  return (blocks ?? []).map((block, i) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      throw refused(
        'NO_CERTIFICATE',
        `Certificate ${i + 1} in the file is damaged: copy the file again.`,
        error,
      )
    }
  })
}

/**
 * The server's certificate among these, and what vouches for it.
 *
 * @param keys PEM: those that we hold
 * @throws ChainRefused
 */
export function chainOf(certificates: readonly X509Certificate[], keys: readonly string[]): Chain {
  if (certificates.length === 0) {
    throw refused(
      'NO_CERTIFICATE',
      'There is no certificate in the file. What is needed begins with -----BEGIN CERTIFICATE-----, or is a PKCS #12 file.',
    )
  }
  let found: { leaf: X509Certificate; key: string } | undefined
  for (const leaf of certificates) {
    const key = keys.find(each => leaf.checkPrivateKey(createPrivateKey(each)))
    if (key !== undefined) found ??= { leaf, key }
  }
  if (!found) {
    const [first] = certificates
    throw certificates.every(({ ca }) => ca)
      ? refused(
          'AUTHORITY_ALONE',
          `The file holds the certificate of an authority alone (${nameOf(first!)}). What is needed is the certificate that it issued for this server; the authority’s stands behind it.`,
        )
      : refused(
          'KEY_MISMATCH',
          `The certificate for ${shownNames(first!)} does not belong to a key of this server. It was issued for another request: have it issued for the one of letro certificate request, or bring its key as well with --key.`,
        )
  }
  const { leaf, key } = found
  const above: X509Certificate[] = []
  const left = certificates.filter(each => each.fingerprint256 !== leaf.fingerprint256)
  for (let last = leaf; !isSelfSigned(last); ) {
    const i = left.findIndex(each => last.checkIssued(each) && last.verify(each.publicKey))
    if (i < 0) break
    last = left.splice(i, 1)[0]!
    above.push(last)
  }
  if (left.length > 0) {
    const last = above.at(-1) ?? leaf
    throw refused(
      'WRONG_CHAIN',
      `The certificate of ${nameOf(left[0]!)} does not belong in this chain: ${nameOf(last)} was issued by ${issuerOf(last)}. Put together the server’s certificate, then the one that issued it, and so on.`,
    )
  }
  const inOrder = [leaf, ...above]
  return { leaf, above, key, sorted: inOrder.some((each, i) => certificates[i] !== each) }
}

/** All that speaks against answering with it under these names. */
export function complaintsAbout(
  { leaf, above }: Pick<Chain, 'leaf' | 'above'>,
  names: readonly string[],
  now: number,
): Complaint[] {
  const complaints: Complaint[] = []
  const complain = (code: ChainRefusal, sentence: string) => complaints.push({ code, sentence })
  if (leaf.ca) {
    complain(
      'NOT_FOR_SERVERS',
      'It is the certificate of an authority, not that of a server. Have one issued for the server.',
    )
  }
  for (const each of [leaf, ...above]) {
    const what = each === leaf ? 'The certificate' : `The certificate of ${nameOf(each)} in its chain`
    if (now > Date.parse(each.validTo)) {
      complain(
        'EXPIRED',
        `${what} was good until ${dateOf(each.validTo)}: it has expired. Have a new one issued. (If today is not ${dayOf(now)}, set the clock of this machine first.)`,
      )
    }
    if (now < Date.parse(each.validFrom)) {
      complain(
        'NOT_YET_VALID',
        `${what} is good from ${dateOf(each.validFrom)} on, and today is ${dayOf(now)}. Bring it again then, or set the clock of this machine if it is wrong.`,
      )
    }
    const weak = weaknessOf(each)
    if (weak !== null) {
      complain(
        'WEAK_KEY',
        `${what} has ${weak}. Have it issued for RSA of 2048 bits or more, or for an elliptic curve P-256 or P-384.`,
      )
    }
    if (!isSelfSigned(each) && /sha1|md5|md2/i.test(each.signatureAlgorithm ?? '')) {
      complain(
        'WEAK_SIGNATURE',
        `${what} is signed with ${each.signatureAlgorithm}, which no browser takes any more. Have it issued with SHA-256.`,
      )
    }
  }
  const missing = names.filter(name => !isFor(leaf, name))
  if (missing.length > 0) {
    complain(
      'OTHER_NAME',
      `The certificate is for ${shownNames(leaf)}, but this server is reached as ${names.join(', ')}. Have one issued that has ${missing.join(' and ')} as a subject alternative name: letro certificate request asks for all of them.`,
    )
  }
  // Spec: RFC 5280 section 4.2.1.12: absent means every use.
  const uses = leaf.keyUsage as readonly string[] | undefined
  if (uses && !uses.includes('1.3.6.1.5.5.7.3.1') && !uses.includes('2.5.29.37.0')) {
    complain(
      'NOT_FOR_SERVERS',
      'The certificate is not for servers: its extended key usage lacks serverAuth. Have it issued from a template for web servers.',
    )
  }
  const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / dayMs
  if (days > longestDays) {
    complain(
      'TOO_LONG',
      `The certificate is good for ${Math.round(days)} days; iPhones and Macs refuse what is good for more than ${longestDays}. Have one issued for a year.`,
    )
  }
  return complaints
}

/** What devices will not find out by themselves: not wrong, but worth a sentence. */
export function remarksAbout({ leaf, above }: Pick<Chain, 'leaf' | 'above'>): string[] {
  if (above.length > 0) return []
  if (isSelfSigned(leaf)) {
    return [
      'The certificate is signed by itself: no device trusts it until that device is told to. A private authority (letro certificate authority) is trusted once and renews itself.',
    ]
  }
  return [
    `Nothing stands behind the certificate in the file. That is right only if devices trust ${issuerOf(leaf)} itself; if that is an intermediate authority, put its certificate behind the server’s.`,
  ]
}

export function chainPem({ leaf, above }: Pick<Chain, 'leaf' | 'above'>): string {
  return [leaf, ...above].map(each => each.toString()).join('')
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

/** In words. null: strong enough. */
function weaknessOf({ publicKey }: X509Certificate): string | null {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
      return modulusLength !== undefined && modulusLength >= 2048
        ? null
        : `a weak key (RSA of ${modulusLength} bits)`
    case 'ec':
      return ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve ?? '')
        ? null
        : `a key on the curve ${namedCurve}, which browsers do not take`
    default:
      return `a key of the kind ${publicKey.asymmetricKeyType}, which browsers do not take`
  }
}

// ── in words ─────────────────────────────────────────────────────────────────────────────────────────

/** `DNS:a.example, IP Address:192.0.2.1` as people write it. */
export function namesIn(certificate: X509Certificate): string[] {
  const parts = certificate.subjectAltName?.split(', ') ?? []
  return parts.flatMap(part => /^(?:DNS|IP Address):(.+)$/.exec(part)?.[1] ?? [])
}

export function shownNames(certificate: X509Certificate): string {
  return namesIn(certificate).join(', ') || 'no name at all'
}

export function nameOf(certificate: X509Certificate): string {
  return commonNameIn(certificate.subject)
}

export function issuerOf(certificate: X509Certificate): string {
  return commonNameIn(certificate.issuer)
}

function commonNameIn(name: string | undefined): string {
  const lines = (name ?? '').split('\n')
  return (
    lines.find(line => line.startsWith('CN='))?.slice(3) ?? (lines.join(', ') || 'somebody without a name')
  )
}

export const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
export const dateOf = (text: string) => dayOf(Date.parse(text))

function refused(code: ChainRefusal, sentence: string, cause?: unknown): ChainRefused {
  const error = new ChainRefused([{ code, sentence }])
  error.cause = cause
  return error
}

/**
 * The appliance's private authority and the certificate that it issues for the federation port.
 *
 * node-forge puts the certificates together, because `node:crypto` can read X.509 but not issue it; keys come from
 * `node:crypto`, and what was issued is checked by it before anybody uses it.
 *
 * The authority can vouch for this server's names and for nothing else: its name constraints are critical, so that a peer
 * who trusts it (Synapse's `federation_custom_ca_list` counts for every server it dials) trusts it for this server
 * alone. Spec: RFC 5280 sections 4.2.1.10 (name constraints), 4.2.1.6 (names), 4.2.1.12 (serverAuth)
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from 'node:crypto'
import forge from 'node-forge'
import { altName, liesWithin, nameConstraints, permittedNames } from './certificate-names.ts'

/** Both in PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

const dayMs = 24 * 60 * 60 * 1000
/** A clock that is a little behind the one that issued must not refuse. */
const backMs = dayMs
const authorityDays = 20 * 365
/** With the day in front 397: what browsers and their like take for a server's certificate is 398 at most. */
const leafDays = 396
/** BSI TR-02102-1 asks for 3000 bits or more; node-forge signs with RSA alone. */
const modulusLength = 3072

/** What an authority cannot or must not vouch for; a sentence. */
export class NameNotPermitted extends Error {}

export function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** Its dates begin a day before it was made. */
export function authorityMadeTs({ validFrom }: X509Certificate): number {
  return Date.parse(validFrom) + backMs
}

/** An authority for these names, DNS names or IP addresses, and what lies below them. */
export function issueAuthority(names: readonly string[], now: number, key = newKey()): Issued {
  const subject = subjectOf(`Letro authority ${keyIdOf(key).subarray(0, 6).toString('hex')}`)
  const certificate = issue({
    subject,
    issuer: subject,
    publicKeyOf: key,
    signedWith: key,
    from: now - backMs,
    until: now + authorityDays * dayMs,
    extensions: [
      { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
      { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
      { id: '2.5.29.30', critical: true, value: nameConstraints(names) },
    ],
  })
  return { certificate, key }
}

/**
 * The certificate of a server: for this key, made anew or kept, so that who pinned the key need not learn another one.
 * Throws NameNotPermitted for a name that the authority cannot vouch for.
 */
export function issueLeaf(authority: Issued, key: string, names: readonly string[], now: number): string {
  const above = new X509Certificate(authority.certificate)
  const authorityEndTs = Date.parse(above.validTo)
  if (authorityEndTs <= now) {
    throw new NameNotPermitted(
      `The private authority was good until ${above.validTo}. Make a new one with letro certificate authority --replace; people’s devices must trust that one then.`,
    )
  }
  const until = Math.min(now + leafDays * dayMs, authorityEndTs)
  const certificate = issue({
    subject: subjectOf('Letro server'),
    issuer: forge.pki.certificateFromPem(authority.certificate).subject.attributes,
    publicKeyOf: key,
    signedWith: authority.key,
    from: now - backMs,
    until,
    extensions: [
      { name: 'basicConstraints', critical: true, cA: false },
      { name: 'keyUsage', critical: true, digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(altName) },
    ],
  })
  const made = new X509Certificate(certificate)
  if (!made.verify(above.publicKey) || !made.checkIssued(above)) {
    throw new Error('the authority’s key is not that of its certificate')
  }
  const permitted = permittedNames(authority.certificate)
  if (permitted === null) {
    throw new NameNotPermitted(
      'The authority could vouch for any name in the world: its certificate has no critical name constraints. Letro issues nothing by such an authority. Make one for this server alone with: letro certificate authority --replace',
    )
  }
  const outside = names.find(name => !permitted.some(each => liesWithin(name, each)))
  if (outside !== undefined) {
    throw new NameNotPermitted(`The authority vouches for ${permitted.join(', ')} only, not for ${outside}.`)
  }
  return certificate
}

interface Issuing {
  readonly subject: forge.pki.CertificateField[]
  readonly issuer: forge.pki.CertificateField[]
  readonly publicKeyOf: string
  readonly signedWith: string
  readonly from: number
  readonly until: number
  readonly extensions: readonly object[]
}

function issue({ subject, issuer, publicKeyOf, signedWith, from, until, extensions }: Issuing): string {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(publicPem(publicKeyOf))
  certificate.serialNumber = serialNumber()
  certificate.validity.notBefore = new Date(from)
  certificate.validity.notAfter = new Date(until)
  certificate.setSubject(subject)
  certificate.setIssuer(issuer)
  certificate.setExtensions([
    ...extensions,
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: keyIdOf(signedWith).toString('binary') },
  ])
  certificate.sign(forge.pki.privateKeyFromPem(signedWith), forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n')
}

function subjectOf(commonName: string): forge.pki.CertificateField[] {
  return [{ name: 'commonName', value: commonName }]
}

/** Spec: RFC 5280 section 4.1.2.2: positive, at most 20 bytes; the first bits make it the shortest encoding as well. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** Spec: RFC 5280 section 4.2.1.2, method 1: SHA-1 over the public key's bits names the key, and secures nothing. */
function keyIdOf(key: string): Buffer {
  const pkcs1 = createPublicKey(createPrivateKey(key)).export({ type: 'pkcs1', format: 'der' })
  return createHash('sha1').update(pkcs1).digest()
}

function publicPem(key: string): string {
  return createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'pem' }).toString()
}

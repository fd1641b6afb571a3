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
import { isIP } from 'node:net'
import forge from 'node-forge'

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

export class NameNotPermitted extends Error {}

export function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
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
  const until = Math.min(now + leafDays * dayMs, Date.parse(above.validTo))
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
  const outside = names.find(name => !permitted.some(each => lies(name, each)))
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

// ── names ────────────────────────────────────────────────────────────────────────────────────────────

/** Its types do not know these two. */
const ipBytes = forge.util as unknown as {
  bytesFromIP(text: string): string
  bytesToIP(bytes: string): string
}

/** GeneralName's tags. Spec: RFC 5280 section 4.2.1.6 */
const dnsName = 2
const ipAddress = 7

function altName(name: string): { type: number; value?: string; ip?: string } {
  return isIP(name) === 0 ? { type: dnsName, value: name } : { type: ipAddress, ip: name }
}

/** All kinds of names that a server's certificate can carry are limited: a kind without a permitted name is excluded. */
function nameConstraints(names: readonly string[]): string {
  const { asn1 } = forge
  const hosts = names.filter(name => isIP(name) === 0)
  const addresses = names.filter(name => isIP(name) !== 0)
  const subtree = (tag: number, value: string) =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, [
      asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, value),
    ])
  const permitted = [
    ...hosts.map(name => subtree(dnsName, name)),
    ...addresses.map(address => {
      const bytes = addressBytes(address)
      return subtree(ipAddress, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)]).toString('binary'))
    }),
  ]
  const excluded = [
    ...(hosts.length === 0 ? [subtree(dnsName, '')] : []),
    ...(addresses.length === 0
      ? [subtree(ipAddress, '\0'.repeat(8)), subtree(ipAddress, '\0'.repeat(32))]
      : []),
  ]
  const trees = [permitted, excluded].flatMap((list, tag) =>
    list.length === 0 ? [] : [asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, list)],
  )
  return asn1.toDer(asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, trees)).getBytes()
}

/** What the authority was made for, read back from it. */
function permittedNames(authority: string): string[] {
  const found = forge.pki.certificateFromPem(authority).getExtension('nameConstraints')
  if (!found) throw new Error('the authority has no name constraints: it is not one of ours')
  const { value } = found as unknown as { value: string }
  const [permitted] = forge.asn1.fromDer(value).value as forge.asn1.Asn1[]
  return (permitted!.value as forge.asn1.Asn1[]).map(subtree => {
    const [base] = subtree.value as forge.asn1.Asn1[]
    const bytes = base!.value as string
    return (base!.type as number) === ipAddress ? addressText(Buffer.from(bytes, 'binary')) : bytes
  })
}

function lies(name: string, permitted: string): boolean {
  if (isIP(name) !== 0)
    return addressBytes(name).equals(isIP(permitted) ? addressBytes(permitted) : Buffer.of())
  return name === permitted || name.endsWith(`.${permitted}`)
}

function addressBytes(address: string): Buffer {
  return Buffer.from(ipBytes.bytesFromIP(address), 'binary')
}

/** Of a constraint: the address, then its mask. */
function addressText(constraint: Buffer): string {
  return ipBytes.bytesToIP(constraint.subarray(0, constraint.length / 2).toString('binary'))
}

/**
 * A certificate request (CSR) for the organisation's own authority. The key stays in the server's folder.
 *
 * node-forge puts the bytes together, `node:crypto` signs them: so a key of any kind can ask, not RSA alone.
 * Spec: RFC 2986 (PKCS #10), RFC 5758 and RFC 8410 (signature algorithms), RFC 2985 section 5.4.2 (extensionRequest)
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import forge from 'node-forge'
import { addressBytes, altName } from './certificate-names.ts'

export interface RequestSubject {
  readonly organisation?: string | undefined
  /** Two letters. */
  readonly country?: string | undefined
}

const { asn1, pki } = forge
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class
const { SEQUENCE, SET, OID, INTEGER, OCTETSTRING, BITSTRING, BOOLEAN, UTF8, PRINTABLESTRING } = asn1.Type

/** PEM. */
export function certificateRequest(
  key: string,
  names: readonly string[],
  subject: RequestSubject = {},
): string {
  const privateKey = createPrivateKey(key)
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const information = sequence(
    asn1.create(UNIVERSAL, INTEGER, false, '\0'),
    distinguishedName(names[0]!, subject),
    asn1.fromDer(spki.toString('binary')),
    // Attributes, [0] IMPLICIT SET.
    asn1.create(CONTEXT_SPECIFIC, 0 as forge.asn1.Type, true, [
      sequence(oid('1.2.840.113549.1.9.14'), asn1.create(UNIVERSAL, SET, true, [extensions(names)])),
    ]),
  )
  const bytes = Buffer.from(asn1.toDer(information).getBytes(), 'binary')
  const { algorithm, digest } = signatureOf(privateKey)
  const signature = sign(digest, bytes, privateKey)
  const request = sequence(
    information,
    algorithm,
    asn1.create(UNIVERSAL, BITSTRING, false, `\0${signature.toString('binary')}`),
  )
  return forge.pem
    .encode({ type: 'CERTIFICATE REQUEST', body: asn1.toDer(request).getBytes() })
    .replaceAll('\r\n', '\n')
}

function distinguishedName(commonName: string, { organisation, country }: RequestSubject): forge.asn1.Asn1 {
  const part = (id: string, type: forge.asn1.Type, value: string) =>
    asn1.create(UNIVERSAL, SET, true, [
      sequence(
        oid(id),
        asn1.create(UNIVERSAL, type, false, type === UTF8 ? forge.util.encodeUtf8(value) : value),
      ),
    ])
  return sequence(
    ...(country === undefined ? [] : [part('2.5.4.6', PRINTABLESTRING, country)]),
    ...(organisation === undefined ? [] : [part('2.5.4.10', UTF8, organisation)]),
    // Upper bound 64. A longer name stands in subjectAltName alone, where it counts.
    ...(commonName.length <= 64 ? [part('2.5.4.3', UTF8, commonName)] : []),
  )
}

/** What we ask for; the authority decides. */
function extensions(names: readonly string[]): forge.asn1.Asn1 {
  const alternatives = sequence(
    ...names.map(name => {
      const { type, value, ip } = altName(name)
      const bytes = ip === undefined ? value! : addressBytes(ip).toString('binary')
      return asn1.create(CONTEXT_SPECIFIC, type as forge.asn1.Type, false, bytes)
    }),
  )
  return sequence(
    extension('2.5.29.17', false, alternatives),
    // digitalSignature: the first of its bits.
    extension('2.5.29.15', true, asn1.create(UNIVERSAL, BITSTRING, false, '\x07\x80')),
    extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
  )
}

function extension(id: string, critical: boolean, value: forge.asn1.Asn1): forge.asn1.Asn1 {
  return sequence(
    oid(id),
    ...(critical ? [asn1.create(UNIVERSAL, BOOLEAN, false, '\xff')] : []),
    asn1.create(UNIVERSAL, OCTETSTRING, false, asn1.toDer(value).getBytes()),
  )
}

function signatureOf(key: KeyObject): { algorithm: forge.asn1.Asn1; digest: string | null } {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return {
        algorithm: sequence(
          oid(pki.oids['sha256WithRSAEncryption']!),
          asn1.create(UNIVERSAL, asn1.Type.NULL, false, ''),
        ),
        digest: 'sha256',
      }
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
        ? { algorithm: sequence(oid('1.2.840.10045.4.3.3')), digest: 'sha384' }
        : { algorithm: sequence(oid('1.2.840.10045.4.3.2')), digest: 'sha256' }
    case 'ed25519':
      return { algorithm: sequence(oid('1.3.101.112')), digest: null }
    default:
      throw new Error(`a key of the kind ${key.asymmetricKeyType} cannot ask for a certificate`)
  }
}

const sequence = (...of: forge.asn1.Asn1[]) => asn1.create(UNIVERSAL, SEQUENCE, true, of)
const oid = (id: string) => asn1.create(UNIVERSAL, OID, false, asn1.oidToDer(id).getBytes())

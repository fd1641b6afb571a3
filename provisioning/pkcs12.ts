/**
 * PKCS #12 files (.p12, .pfx), as Windows and many authorities hand them out: a key and certificates under a passphrase.
 *
 * Assumes nothing about kinds of keys: what node-forge cannot read itself (elliptic curves) is handed on as bytes to
 * `node:crypto`. Spec: RFC 7292
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import forge from 'node-forge'

export interface Pkcs12 {
  /** PEM, PKCS #8; null: the file holds none. */
  readonly key: string | null
  readonly certificates: readonly X509Certificate[]
}

export class Pkcs12Wrong extends Error {}

/** Throws Pkcs12Wrong, a sentence. */
export function readPkcs12(bytes: Uint8Array, passphrase: string): Pkcs12 {
  let der: forge.asn1.Asn1
  try {
    der = forge.asn1.fromDer(Buffer.from(bytes).toString('binary'))
  } catch (error) {
    throw new Pkcs12Wrong('The file is cut off or damaged: copy it again from where it was made.', {
      cause: error,
    })
  }
  const container = openContainer(der, passphrase)
  const { certBag, pkcs8ShroudedKeyBag, keyBag } = forge.pki.oids as Record<string, string>
  const bags = (type: string) => container.getBags({ bagType: type })[type] ?? []
  const keys = [...bags(pkcs8ShroudedKeyBag!), ...bags(keyBag!)]
  if (keys.length > 1)
    throw new Pkcs12Wrong('The file holds several private keys. Export the server’s alone.')
  try {
    return {
      key: keys[0] ? keyOf(keys[0]) : null,
      certificates: bags(certBag!).map(certificateOf),
    }
  } catch (error) {
    throw new Pkcs12Wrong('The file was opened, but its key or a certificate in it cannot be read.', {
      cause: error,
    })
  }
}

/**
 * The integrity check takes the passphrase as UTF-16 (RFC 7292 appendix B.1), the ciphers of now as UTF-8 (RFC 8018), and
 * node-forge takes one text for both. So where letters beyond ASCII are in it, the check is made first, and what was
 * checked is opened without it.
 */
function openContainer(der: forge.asn1.Asn1, passphrase: string): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(der, false, passphrase)
  } catch (error) {
    const passedCheck = error instanceof Error && /decrypt/i.test(error.message)
    const parts = der.value as forge.asn1.Asn1[]
    try {
      if (passedCheck && parts.length === 3) {
        const unchecked = { ...der, value: parts.slice(0, 2) } as forge.asn1.Asn1
        return forge.pkcs12.pkcs12FromAsn1(unchecked, false, forge.util.encodeUtf8(passphrase))
      }
    } catch {}
    throw new Pkcs12Wrong(sentenceFor(error), { cause: error })
  }
}

/** Decrypted, it is PKCS #8 whatever the key is; node-forge has taken RSA keys apart. */
function keyOf(bag: forge.pkcs12.Bag): string {
  const info = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1
  return createPrivateKey({ key: bytesOf(info), format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

function certificateOf(bag: forge.pkcs12.Bag): X509Certificate {
  return new X509Certificate(bytesOf(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1))
}

function bytesOf(part: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(part).getBytes(), 'binary')
}

function sentenceFor(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  if (/MAC could not be verified|Invalid password/i.test(message)) {
    return 'The passphrase does not open the file, or the file was changed on its way.'
  }
  if (/unsupported|cannot read|OID/i.test(message)) {
    return 'The file is encrypted in a way that is not known here. Export it again with AES-256 and SHA-256, or convert it: openssl pkcs12 -in FILE -out chain.pem -nodes'
  }
  return 'The file is no PKCS #12 file that can be read.'
}

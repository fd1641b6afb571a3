/** A certificate authority for tests, made by the library that issues ours; whoever verifies is somebody else. */
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

export class TestAuthority {
  readonly certificate: string
  readonly #key: forge.pki.rsa.PrivateKey
  readonly #subject: forge.pki.CertificateField[]
  #serial = 1

  constructor(name = 'Letro test authority') {
    const { key, publicKey } = newKey()
    this.#key = key
    this.#subject = [{ name: 'commonName', value: name }]
    const made = this.#unsigned(publicKey, this.#subject)
    made.setExtensions([
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ])
    made.sign(key, forge.md.sha256.create())
    this.certificate = forge.pki.certificateToPem(made)
  }

  /** For these DNS names and addresses. */
  issue(...names: string[]): TestCertificate {
    const { key, publicKey } = newKey()
    const made = this.#unsigned(publicKey, [{ name: 'commonName', value: names[0]! }])
    made.setExtensions([
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map(name =>
          /^[0-9.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name },
        ),
      },
    ])
    made.sign(this.#key, forge.md.sha256.create())
    return { certificate: forge.pki.certificateToPem(made), key: forge.pki.privateKeyToPem(key) }
  }

  #unsigned(publicKey: forge.pki.PublicKey, subject: forge.pki.CertificateField[]): forge.pki.Certificate {
    const made = forge.pki.createCertificate()
    made.publicKey = publicKey
    made.serialNumber = `0${this.#serial++}`
    made.validity.notBefore = new Date(Date.now() - 3_600_000)
    made.validity.notAfter = new Date(Date.now() + 86_400_000)
    made.setSubject(subject)
    made.setIssuer(this.#subject)
    return made
  }
}

function newKey(): { key: forge.pki.rsa.PrivateKey; publicKey: forge.pki.rsa.PublicKey } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }) as string)
  return { key, publicKey: forge.pki.setRsaPublicKey(key.n, key.e) }
}

/** An organisation's own authority for tests, as openssl makes it: what comes from there is nothing of ours. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface LeafOptions {
  /** `DNS:a.example,IP:127.0.0.1` */
  readonly names?: string
  /** As openssl's -not_before and -not_after take them, or days. */
  readonly days?: number
  readonly from?: string
  readonly until?: string
  /** The CSR to sign; otherwise a new key. */
  readonly request?: string
  readonly newKey?: readonly string[]
  readonly extra?: string
  readonly digest?: string
  readonly by?: 'root' | 'middle'
}

export class OwnAuthority {
  readonly folder = mkdtempSync(join(tmpdir(), 'letro-ca-'))
  #serial = 1

  constructor() {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    this.openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      'root.key',
      '-out',
      'root.pem',
      '-days',
      '3650',
      '-subj',
      '/CN=Klinik Root',
    )
    this.openssl(
      'req',
      ...ec,
      '-new',
      '-keyout',
      'middle.key',
      '-out',
      'middle.csr',
      '-subj',
      '/CN=Klinik Issuing',
    )
    this.write('middle.ext', 'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign\n')
    this.openssl(
      'x509',
      '-req',
      '-in',
      'middle.csr',
      '-CA',
      'root.pem',
      '-CAkey',
      'root.key',
      '-days',
      '3650',
      '-set_serial',
      '2',
      '-extfile',
      'middle.ext',
      '-out',
      'middle.pem',
    )
  }

  /** PEM: certificate alone, and the key where it made one. */
  leaf(options: LeafOptions = {}): { certificate: string; key: string } {
    const {
      names = 'DNS:a.example',
      days = 90,
      from,
      until,
      request,
      newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      extra = 'extendedKeyUsage=serverAuth',
      digest = '-sha256',
      by = 'middle',
    } = options
    const id = `leaf${this.#serial++}`
    if (request === undefined) {
      this.openssl(
        'req',
        '-new',
        ...newKey,
        '-nodes',
        '-keyout',
        `${id}.key`,
        '-out',
        `${id}.csr`,
        '-subj',
        '/CN=server',
      )
    } else this.write(`${id}.csr`, request)
    this.write(`${id}.ext`, `${names === '' ? '' : `subjectAltName=${names}\n`}${extra}\n`)
    const life =
      from === undefined && until === undefined
        ? ['-days', String(days)]
        : ['-not_before', from ?? '20200101000000Z', '-not_after', until ?? '20991231235959Z']
    this.#sign(id, by, digest, life)
    return { certificate: this.read(`${id}.pem`), key: request === undefined ? this.read(`${id}.key`) : '' }
  }

  /** `openssl ca` lets the dates be chosen whatever its version. */
  #sign(id: string, by: string, digest: string, life: string[]): void {
    if (life[0] === '-days') {
      this.openssl(
        'x509',
        '-req',
        '-in',
        `${id}.csr`,
        '-CA',
        `${by}.pem`,
        '-CAkey',
        `${by}.key`,
        '-set_serial',
        String(100 + this.#serial),
        '-extfile',
        `${id}.ext`,
        digest,
        ...life,
        '-out',
        `${id}.pem`,
      )
      return
    }
    this.write(
      'ca.cnf',
      '[ca]\ndefault_ca=own\n[own]\nnew_certs_dir=.\ndatabase=index.txt\nrand_serial=yes\npolicy=any\n[any]\ncommonName=optional\n',
    )
    this.write('index.txt', '')
    this.openssl(
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-in',
      `${id}.csr`,
      '-cert',
      `${by}.pem`,
      '-keyfile',
      `${by}.key`,
      '-md',
      digest.slice(1),
      '-extfile',
      `${id}.ext`,
      '-startdate',
      life[1]!,
      '-enddate',
      life[3]!,
      '-notext',
      '-out',
      `${id}.pem`,
    )
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8')
  }

  write(name: string, content: string): string {
    writeFileSync(join(this.folder, name), content)
    return join(this.folder, name)
  }

  openssl(...args: string[]): string {
    return execFileSync('openssl', args, {
      cwd: this.folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

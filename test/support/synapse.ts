/**
 * A real Synapse as a process of its own: from PyPI, in a virtual environment that is made once, over SQLite in a folder of
 * its own. It federates by TLS with the servers that a test names, and with nobody else.
 *
 * Names under `.test` are resolved to this machine for this process alone (a mount namespace with a hosts file of its own),
 * which needs root or user namespaces.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHmac, createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestAuthority } from './certificates.ts'
import { call } from './client.ts'
import { freePort } from './free-port.ts'
import { type Session, sleep } from './server-process.ts'

const version = '1.163.2'
const environment = resolve('node_modules/.cache', `synapse-${version}`)
const python = join(environment, 'bin', 'python')
const secret = 'a secret of the tests'
const startMs = 90_000

/** Once a machine: some 240 MB. */
export function installSynapse(): void {
  if (existsSync(join(environment, 'ready'))) return
  rmSync(environment, { recursive: true, force: true })
  mkdirSync(environment, { recursive: true })
  run('python3', ['-m', 'venv', environment])
  run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', `matrix-synapse==${version}`])
  writeFileSync(join(environment, 'ready'), '')
}

export interface SynapseOptions {
  readonly authority: TestAuthority
  /** Server names with their ports, and the authority (PEM) of each one's certificate. */
  readonly peers: readonly { readonly serverName: string; readonly authority: string }[]
  readonly host?: string
  readonly federationPort?: number
}

export class Synapse {
  readonly serverName: string
  readonly federationPort: number
  readonly base: string
  readonly folder: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, serverName: string, federationPort: number, clientPort: number) {
    this.folder = folder
    this.serverName = serverName
    this.federationPort = federationPort
    this.base = `http://localhost:${clientPort}`
  }

  static async start(options: SynapseOptions): Promise<Synapse> {
    installSynapse()
    const folder = mkdtempSync(join(tmpdir(), 'synapse-'))
    const host = options.host ?? 'synapse.test'
    const federationPort = options.federationPort ?? (await freePort())
    const clientPort = await freePort()
    const synapse = new Synapse(folder, `${host}:${federationPort}`, federationPort, clientPort)
    const { certificate, key } = options.authority.issue(host)
    const hosts = [host, ...options.peers.map(peer => peer.serverName.replace(/:[0-9]+$/, ''))]
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
    write('certificate.pem', certificate)
    write('key.pem', key)
    for (const [i, peer] of options.peers.entries()) write(`peer-${i}.pem`, peer.authority)
    write('hosts', `127.0.0.1 localhost ${hosts.join(' ')}\n`)
    write('log.yaml', JSON.stringify(logging(folder)))
    write(
      'homeserver.yaml',
      JSON.stringify(
        configuration({
          folder,
          serverName: synapse.serverName,
          federationPort,
          clientPort,
          peers: options.peers.map(peer => peer.serverName),
        }),
      ),
    )
    run(python, ['-m', 'synapse.app.homeserver', '-c', join(folder, 'homeserver.yaml'), '--generate-keys'])
    await synapse.start()
    return synapse
  }

  async start(): Promise<void> {
    const hosts = join(this.folder, 'hosts')
    const homeserver = `exec "${python}" -m synapse.app.homeserver -c "${join(this.folder, 'homeserver.yaml')}"`
    const child = spawn(
      'unshare',
      ['--mount', 'sh', '-c', `mount --bind "${hosts}" /etc/hosts && ${homeserver}`],
      {
        cwd: this.folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    this.#child = child
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-4_000)
    })
    this.#ended = new Promise(resolve => child.once('exit', resolve))
    for (
      const until = Date.now() + startMs;
      Date.now() < until && child.exitCode === null;
      await sleep(100)
    ) {
      if (await this.#answers()) return
    }
    throw new Error(`Synapse did not start:\n${complaints}\n${this.log().slice(-4_000)}`)
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.#ended
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** What it has logged: warnings, and everything about federation. */
  log(): string {
    const path = join(this.folder, 'synapse.log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** `ed25519:ID=BASE64`: what an administrator pins. */
  get key(): string {
    const seed = readFileSync(join(this.folder, 'signing.key'), 'utf8').trim().split(' ')
    const der = Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.from(seed[2]!, 'base64'),
    ])
    const spki = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
      format: 'der',
      type: 'spki',
    })
    return `ed25519:${seed[1]}=${spki.subarray(-32).toString('base64').replace(/=+$/, '')}`
  }

  /**
   * While it does not run: it has found this server silent for so long, and will leave it alone for as long again unless it
   * hears from it.
   */
  hasFoundSilent(serverName: string, forMs: number): void {
    const database = new DatabaseSync(join(this.folder, 'homeserver.db'))
    const now = Date.now()
    const { changes } = database
      .prepare(
        'UPDATE destinations SET failure_ts = ?, retry_last_ts = ?, retry_interval = ? WHERE destination = ?',
      )
      .run(now - forMs, now - 1_000, forMs, serverName)
    database.close()
    if (changes !== 1) throw new Error(`Synapse does not know ${serverName} as a destination`)
  }

  /** Opens an account and its first session. */
  async register(name: string, password: string): Promise<Session> {
    const { body: asked } = await call(this.base, 'GET', '/_synapse/admin/v1/register')
    const { nonce } = asked as { nonce: string }
    const mac = createHmac('sha1', secret)
      .update([nonce, name, password, 'notadmin'].join('\0'))
      .digest('hex')
    const { status, body } = await call(this.base, 'POST', '/_synapse/admin/v1/register', {
      body: { nonce, username: name, password, admin: false, mac },
    })
    if (status !== 200) throw new Error(`register at Synapse: ${status} ${JSON.stringify(body)}`)
    return { userId: body.user_id, deviceId: body.device_id, token: body.access_token }
  }

  async login(name: string, password: string): Promise<Session> {
    const { status, body } = await call(this.base, 'POST', '/_matrix/client/v3/login', {
      body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: name }, password },
    })
    if (status !== 200) throw new Error(`login at Synapse: ${status} ${JSON.stringify(body)}`)
    return { userId: body.user_id, deviceId: body.device_id, token: body.access_token }
  }

  async #answers(): Promise<boolean> {
    try {
      return (await call(this.base, 'GET', '/_matrix/client/versions')).status === 200
    } catch {
      return false
    }
  }
}

interface Facts {
  readonly folder: string
  readonly serverName: string
  readonly federationPort: number
  readonly clientPort: number
  readonly peers: readonly string[]
}

/** YAML takes JSON. */
function configuration({ folder, serverName, federationPort, clientPort, peers }: Facts): object {
  const much = { per_second: 10_000, burst_count: 10_000 }
  return {
    server_name: serverName,
    pid_file: join(folder, 'pid'),
    report_stats: false,
    listeners: [
      {
        port: clientPort,
        bind_addresses: ['127.0.0.1'],
        type: 'http',
        tls: false,
        resources: [{ names: ['client'] }],
      },
      {
        port: federationPort,
        bind_addresses: ['127.0.0.1'],
        type: 'http',
        tls: true,
        resources: [{ names: ['federation'] }],
      },
    ],
    tls_certificate_path: join(folder, 'certificate.pem'),
    tls_private_key_path: join(folder, 'key.pem'),
    database: { name: 'sqlite3', args: { database: join(folder, 'homeserver.db') } },
    log_config: join(folder, 'log.yaml'),
    media_store_path: join(folder, 'media'),
    signing_key_path: join(folder, 'signing.key'),
    registration_shared_secret: secret,
    macaroon_secret_key: secret,
    form_secret: secret,
    trusted_key_servers: [],
    allow_public_rooms_over_federation: true,
    room_list_publication_rules: [{ action: 'allow' }],
    federation_custom_ca_list: peers.map((_, i) => join(folder, `peer-${i}.pem`)),
    federation_domain_whitelist: peers,
    ip_range_blacklist: [],
    url_preview_enabled: false,
    rc_message: much,
    rc_registration: much,
    rc_login: { address: much, account: much, failed_attempts: much },
    rc_joins: { local: much, remote: much },
    rc_joins_per_room: much,
    rc_invites: { per_room: much, per_user: much, per_issuer: much },
    rc_federation: {
      window_size: 1000,
      sleep_limit: 10_000,
      sleep_delay: 1,
      reject_limit: 10_000,
      concurrent: 100,
    },
    rc_presence: { per_user: much },
    presence: { enabled: true },
    // What cannot be reached is tried again within the patience of a test.
    federation: {
      client_timeout: '10s',
      max_short_retries: 1,
      destination_min_retry_interval: '1s',
      destination_max_retry_interval: '3s',
    },
  }
}

function logging(folder: string): object {
  return {
    version: 1,
    formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s %(message)s' } },
    handlers: {
      file: { class: 'logging.FileHandler', formatter: 'line', filename: join(folder, 'synapse.log') },
    },
    loggers: {
      'synapse.federation': { level: 'INFO' },
      'synapse.handlers.federation': { level: 'INFO' },
      'synapse.handlers.federation_event': { level: 'INFO' },
    },
    root: { level: 'WARNING', handlers: ['file'] },
    disable_existing_loggers: false,
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`)
}

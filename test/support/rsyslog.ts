/**
 * A real rsyslog as a process of its own, from the packages of this Debian or Ubuntu, unpacked once into the cache and not
 * installed: a TLS collector on a free port, which writes what it reads into a file.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestAuthority } from './certificates.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const unpacked = resolve('node_modules/.cache', 'rsyslog')
const packages = ['rsyslog', 'rsyslog-openssl', 'libestr0', 'libfastjson4']

export function installRsyslog(): void {
  if (existsSync(join(unpacked, 'ready'))) return
  rmSync(unpacked, { recursive: true, force: true })
  mkdirSync(unpacked, { recursive: true })
  run('apt-get', ['download', '-qq', ...packages])
  for (const file of readdirSync(unpacked).filter(name => name.endsWith('.deb')))
    run('dpkg', ['-x', file, '.'])
  writeFileSync(join(unpacked, 'ready'), '')
}

export class Rsyslog {
  readonly port: number
  readonly #folder: string
  #child: ChildProcess | null = null

  private constructor(port: number, folder: string) {
    this.port = port
    this.#folder = folder
  }

  static async start(authority: TestAuthority): Promise<Rsyslog> {
    installRsyslog()
    const folder = mkdtempSync(join(tmpdir(), 'letro-rsyslog-'))
    const collector = new Rsyslog(await freePort(), folder)
    const { certificate, key } = authority.issue('localhost')
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    file(
      'rsyslog.conf',
      `global(
        workDirectory="${folder}"
        defaultNetstreamDriver="ossl"
        defaultNetstreamDriverCAFile="${file('ca.pem', authority.certificate)}"
        defaultNetstreamDriverCertFile="${file('cert.pem', certificate)}"
        defaultNetstreamDriverKeyFile="${file('key.pem', key)}")
      module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
      input(type="imtcp" port="${collector.port}" address="127.0.0.1")
      template(name="whole" type="list") {
        property(name="pri-text") constant(value=" ") property(name="hostname") constant(value=" ")
        property(name="app-name") constant(value=" ") property(name="msgid") constant(value=" ")
        property(name="structured-data") constant(value=" ") property(name="msg") constant(value="\\n")
      }
      action(type="omfile" file="${folder}/received" template="whole")\n`,
    )
    await collector.resume()
    return collector
  }

  async resume(): Promise<void> {
    const libraries = findFolder('rsyslog')
    this.#child = spawn(
      join(unpacked, 'usr/sbin/rsyslogd'),
      [
        '-n',
        '-f',
        join(this.#folder, 'rsyslog.conf'),
        '-i',
        join(this.#folder, 'pid'),
        '-M',
        join(libraries, 'rsyslog'),
      ],
      { stdio: 'ignore', env: { ...process.env, LD_LIBRARY_PATH: libraries } },
    )
    await until(() => this.#answers())
  }

  /** Complete lines that it has written. */
  received(): string[] {
    const file = join(this.#folder, 'received')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = null
    if (!child || child.exitCode !== null) return
    const gone = new Promise(ended => child.once('exit', ended))
    child.kill('SIGTERM')
    await gone
  }

  async close(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #answers(): Promise<boolean> {
    return new Promise(answer => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy()
        answer(true)
      })
      socket.on('error', () => answer(false))
    })
  }
}

/** `usr/lib/x86_64-linux-gnu`, or what this machine's is called. */
function findFolder(inside: string): string {
  const libraries = join(unpacked, 'usr/lib')
  const named = readdirSync(libraries).find(name => existsSync(join(libraries, name, inside)))
  return join(libraries, named ?? '')
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd: unpacked, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

/**
 * OpenSSH's server for tests, on loopback, under keys of its own: unpacked once from Debian's packages into a cache, never
 * installed, because an installed one would begin to serve the machine. Null where that cannot be had.
 *
 * As root it wants a user `sshd`: it gets one in a mount namespace of its own.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const cache = resolve('node_modules/.cache/openssh')
const packages = ['openssh-server', 'openssh-sftp-server', 'libwrap0']

export interface OpenSsh {
  readonly sshd: string
  readonly sftpServer: string
  readonly libraries: string
}

export function findOpenSsh(): OpenSsh | null {
  if (!existsSync(join(cache, 'usr/sbin/sshd')) && !unpack()) return null
  const found = readdirSync(join(cache, 'usr/lib')).find(name => name.endsWith('-linux-gnu'))
  return {
    sshd: join(cache, 'usr/sbin/sshd'),
    sftpServer: join(cache, 'usr/lib/openssh/sftp-server'),
    libraries: join(cache, 'usr/lib', found ?? ''),
  }
}

/** Tests that run side by side: who is first puts it in its place. */
function unpack(): boolean {
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/sftp')) return false
  const work = `${cache}.${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    execFileSync('apt-get', ['download', ...packages], { cwd: work, stdio: 'ignore' })
    for (const name of readdirSync(work).filter(file => file.endsWith('.deb'))) {
      execFileSync('dpkg', ['-x', join(work, name), join(work, 'root')])
    }
    renameSync(join(work, 'root'), cache)
  } catch {
    // None to be had, or another test was first.
  }
  rmSync(work, { recursive: true, force: true })
  return existsSync(join(cache, 'usr/sbin/sshd'))
}

export interface TestSshd {
  readonly port: number
  readonly user: string
  /** For `backup.sftp_host_key`. */
  readonly hostKey: string
  /** The private key that it lets in. */
  readonly keyFile: string
  close(): Promise<void>
}

/** `subsystem`: what answers as SFTP, in place of OpenSSH's own. */
export async function startSshd(ssh: OpenSsh, folder: string, subsystem = ssh.sftpServer): Promise<TestSshd> {
  const at = (name: string) => join(folder, name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const key of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', at(key)])
  }
  writeFileSync(at('authorized'), readFileSync(at('user.pub')), { mode: 0o600 })
  const port = await freePort()
  const { username } = userInfo()
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    `PidFile ${at('pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    `SetEnv LD_LIBRARY_PATH=${ssh.libraries}`,
    `Subsystem sftp ${subsystem}`,
  ]
  writeFileSync(at('sshd_config'), `${settings.join('\n')}\n`)
  const child = run(ssh, at)
  let said = ''
  child.stderr!.on('data', (text: Buffer) => {
    said += text.toString()
  })
  await isListening(port, () => said)
  const [type, key] = readFileSync(at('host.pub'), 'utf8').split(' ')
  return {
    port,
    user: username,
    hostKey: `${type} ${key}`,
    keyFile: at('user'),
    close: async () => {
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
    },
  }
}

function run(ssh: OpenSsh, at: (name: string) => string): ChildProcess {
  const env = { ...process.env, LD_LIBRARY_PATH: ssh.libraries }
  const command = [ssh.sshd, '-D', '-e', '-f', at('sshd_config')]
  const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'pipe'], env }
  if (process.getuid?.() !== 0) return spawn(command[0]!, command.slice(1), options)
  const users = readFileSync('/etc/passwd', 'utf8')
  const withSshd = /^sshd:/m.test(users) ? users : `${users}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`
  writeFileSync(at('passwd'), withSshd)
  const inNamespace = `mount --bind "${at('passwd')}" /etc/passwd && mkdir -p /run/sshd && exec "$@"`
  return spawn('unshare', ['--mount', 'sh', '-c', inNamespace, 'sh', ...command], options)
}

async function isListening(port: number, said: () => string): Promise<void> {
  const isOpen = () =>
    new Promise<boolean>(done => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        done(true)
      })
      socket.on('error', () => done(false))
    })
  await until(isOpen).catch(() => {
    throw new Error(`sshd does not listen: ${said()}`)
  })
}

/**
 * The key with which this server signs in on another machine, where the configuration names none. It is made here, so that no
 * private key ever travels; the other machine is given its public half. It lies with the other keys, and so is in the backup: a
 * restored server goes on copying.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { childStdio } from '../store/child-stdio.ts'
import { BackupError } from './backup-error.ts'
import { writeWhole } from './write-whole.ts'

export interface SshKey {
  readonly file: string
  /** As it stands in authorized_keys. */
  readonly publicKey: string
}

const limitMs = 60_000
const making = new Map<string, Promise<SshKey>>()

/** Made where there is none yet. A crash leaves none, or a whole one. @throws BackupError SFTP_FAILED */
export function ownSshKey(dataFolder: string): Promise<SshKey> {
  const known = making.get(dataFolder) ?? readOrMake(dataFolder)
  making.set(dataFolder, known)
  known.catch(() => making.delete(dataFolder))
  return known
}

async function readOrMake(dataFolder: string): Promise<SshKey> {
  const folder = join(dataFolder, 'keys')
  const file = join(folder, 'backup-ssh')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const isThere = await stat(file).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    // Of an attempt that was broken off something may be left.
    const work = `${file}.tmp`
    await rm(work, { recursive: true, force: true })
    await mkdir(work, { mode: 0o700 })
    try {
      await sshKeygen('-q', '-t', 'ed25519', '-N', '', '-C', 'letro-backup', '-f', join(work, 'key'))
      await writeWhole(file, await readFile(join(work, 'key'), 'utf8'))
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  return { file, publicKey: (await sshKeygen('-y', '-f', file)).trim() }
}

async function sshKeygen(...args: string[]): Promise<string> {
  const child = spawn('ssh-keygen', args, { stdio: childStdio('ignore', 'pipe', 'pipe'), timeout: limitMs })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  try {
    const [printed, complained, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    if (code === 0) return printed
    const last = complained.trim().split('\n').at(-1) || `it ended with ${code}`
    throw new BackupError('SFTP_FAILED', `The server’s own SSH key cannot be made or read: ${last}`)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new BackupError(
      'SFTP_FAILED',
      'There is no program "ssh-keygen" on this server: install OpenSSH’s client (openssh-client).',
      { cause },
    )
  }
}

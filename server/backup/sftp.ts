/**
 * Another machine, reached with OpenSSH's own `sftp`: it has to be installed here, and asks for nothing.
 *
 * The other machine's host key is pinned in the configuration: nothing is sent to one that shows another key. It runs
 * in a process group of its own, and all of it is killed when the time is over, whatever it waits for. A file has its
 * name there only when all of it arrived and was synced.
 */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { childStdio } from '../store/child-stdio.ts'
import { BackupError } from './backup-error.ts'
import { notesFolder } from './data-files.ts'
import { type BackupName, byName, parseBackupName, partOfName } from './names.ts'
import { ownSshKey } from './own-ssh-key.ts'
import type { SftpAddress } from './sftp-address.ts'

export interface SftpPlace extends SftpAddress {
  /** As `ssh-keyscan` prints it after the name: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string
  /** null: the server’s own (own-ssh-key.ts). */
  readonly keyFile: string | null
  /** For one list or one file. */
  readonly timeoutMs: number
}

/** What the other machine has, oldest first. */
export async function listBySftp(
  place: SftpPlace,
  dataFolder: string,
  signal?: AbortSignal,
): Promise<BackupName[]> {
  const output = await sftp(place, dataFolder, ['ls -1'], signal)
  return output
    .split('\n')
    .flatMap(line => parseBackupName(line.trim()) ?? [])
    .sort(byName)
}

export async function putBySftp(
  place: SftpPlace,
  dataFolder: string,
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const part = `${name}${partOfName}`
  // `-` in front: it may be missing. `put -f` syncs the file there before it answers.
  const commands = [`-rm ${quoted(part)}`, `put -f ${quoted(join(folder, name))} ${quoted(part)}`]
  await sftp(place, dataFolder, [...commands, `rename ${quoted(part)} ${quoted(name)}`], signal)
}

export async function removeBySftp(
  place: SftpPlace,
  dataFolder: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (names.length === 0) return
  await sftp(
    place,
    dataFolder,
    names.map(name => `rm ${quoted(name)}`),
    signal,
  )
}

/** What `sftp` printed. Rejects with a sentence about what to do. */
async function sftp(
  place: SftpPlace,
  dataFolder: string,
  commands: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const knownHosts = join(dataFolder, notesFolder, 'known_hosts')
  await mkdir(join(dataFolder, notesFolder), { recursive: true, mode: 0o700 })
  const known = place.port === 22 ? place.host : `[${place.host}]:${place.port}`
  await writeFile(knownHosts, `${known} ${place.hostKey}\n`, { mode: 0o600 })
  const keyFile = place.keyFile ?? (await ownSshKey(dataFolder)).file
  const child = spawn('sftp', argumentsFor(place, knownHosts, keyFile), {
    stdio: childStdio('pipe', 'pipe', 'pipe'),
    // A group of its own: `sftp` runs `ssh`, and both have to go.
    detached: true,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  })
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  let isOverdue = false
  const timer = setTimeout(() => {
    isOverdue = true
    kill()
  }, place.timeoutMs)
  signal?.addEventListener('abort', kill, { once: true })
  let printed = ''
  let complained = ''
  child.stdout.on('data', (text: Buffer) => {
    printed += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    complained = (complained + text.toString()).slice(-4_000)
  })
  // It may end before it has read everything; what it says counts.
  child.stdin.on('error', () => {})
  const start = place.folder === '' ? [] : [`cd ${quoted(place.folder)}`]
  child.stdin.end(`${[...start, ...commands].join('\n')}\n`)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('close', resolve)
      child.once('error', reject)
    })
    if (code === 0) return printed
    throw failure(place, complained, isOverdue, signal?.aborted === true)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new BackupError(
      'SFTP_FAILED',
      'There is no program "sftp" on this server: install OpenSSH’s client (openssh-client).',
      { cause: error },
    )
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', kill)
  }
}

function argumentsFor({ user, host, port }: SftpPlace, knownHosts: string, keyFile: string): string[] {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHosts}"`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PasswordAuthentication=no',
    'KbdInteractiveAuthentication=no',
    'ForwardAgent=no',
    'ConnectTimeout=20',
    // A line that went dead is noticed within a minute.
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'LogLevel=ERROR',
  ]
  const settings = options.flatMap(option => ['-o', option])
  // Nobody's own configuration of ssh changes any of this.
  return ['-b', '-', '-F', '/dev/null', '-P', String(port), '-i', keyFile, ...settings, `${user}@${host}`]
}

function failure(place: SftpPlace, complained: string, isOverdue: boolean, isStopping: boolean): BackupError {
  const at = `${place.host}:${place.port}`
  if (isStopping) return new BackupError('BACKUP_ABANDONED', 'The server stops; the backup is given up.')
  if (isOverdue || /timed? ?out|not responding/i.test(complained)) {
    const after = isOverdue ? ` within ${Math.round(place.timeoutMs / 60_000)} minutes and was ended` : ''
    return new BackupError(
      'SFTP_TIMEOUT',
      `The copy to ${at} did not finish${after}. Is that machine up, and its disk not full? For a slow line raise backup.sftp_timeout_minutes.`,
    )
  }
  if (/host key verification failed|host identification has changed/i.test(complained)) {
    return new BackupError(
      'SFTP_HOST_KEY',
      `${at} shows another host key than backup.sftp_host_key. Nothing was sent. If that machine was set up anew, compare its new key with its administrator, then change the configuration; if not, somebody may stand in between.`,
    )
  }
  if (/permission denied \(|load key|no such identity/i.test(complained)) {
    return new BackupError(
      'SFTP_DENIED',
      place.keyFile === null
        ? `${at} does not let ${place.user} in with this server's key. Its public half has to stand in that user's authorized_keys: letro backup status shows it.`
        : `${at} does not let ${place.user} in with the key of backup.sftp_key_file. Is its public half in that user's authorized_keys, and may the server's user read the file?`,
    )
  }
  // Asked for by our own commands, so it names nothing but places and our own files.
  const last = complained.trim().split('\n').at(-1)?.trim()
  return new BackupError(
    'SFTP_FAILED',
    `The copy to ${at} failed${last ? `: ${last}` : ''}. Try it by hand: sftp -P ${place.port} ${place.user}@${place.host}`,
  )
}

/** Within quotation marks nothing is a pattern. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

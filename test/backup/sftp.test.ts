/** Another machine by OpenSSH: what arrives, and what is said when nothing does. */
import { appendFile, chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { backupName } from '../../server/backup/names.ts'
import { ownSshKey } from '../../server/backup/own-ssh-key.ts'
import { listBySftp, putBySftp, removeBySftp, type SftpPlace } from '../../server/backup/sftp.ts'
import { parseSftp } from '../../server/backup/sftp-address.ts'
import { freePort } from '../support/free-port.ts'
import { findOpenSsh, startSshd, type TestSshd } from '../support/openssh.ts'
import { withFolder } from './backup-data.ts'

const ssh = findOpenSsh()
const withSshd = ssh ? test : test.skip
const name = backupName('letro-clinic.example-20261121T020000Z', 0)

interface Rig {
  readonly folder: string
  readonly data: string
  readonly away: string
  readonly sshd: TestSshd
  readonly place: SftpPlace
}

async function rig(t: ExecutionContext, run: (rig: Rig) => Promise<void>, subsystem?: string): Promise<void> {
  await withFolder(t, async folder => {
    const sshd = await startSshd(ssh!, join(folder, 'ssh'), subsystem)
    const away = join(folder, 'far "away" *')
    const data = join(folder, 'data')
    await mkdir(away)
    await mkdir(join(data, 'backups'), { recursive: true })
    const { port, user, hostKey, keyFile } = sshd
    const place = { user, host: '127.0.0.1', port, folder: away, hostKey, keyFile, timeoutMs: 60_000 }
    try {
      await run({ folder, data, away, sshd, place })
    } finally {
      await sshd.close()
    }
  })
}

withSshd('a backup arrives whole, is listed, and goes again', t =>
  rig(t, async ({ data, away, place }) => {
    const bytes = Buffer.alloc(3_000_000, 'x')
    await writeFile(join(data, 'backups', name), bytes)
    // What an interrupted copy left.
    await writeFile(join(away, `${name}.part`), 'half')
    t.deepEqual(await listBySftp(place, data), [])
    await putBySftp(place, data, join(data, 'backups'), name)
    t.deepEqual(await readdir(away), [name])
    t.true((await readFile(join(away, name))).equals(bytes))
    t.deepEqual(
      (await listBySftp(place, data)).map(backup => backup.name),
      [name],
    )
    await removeBySftp(place, data, [name])
    t.deepEqual(await readdir(away), [])
  }),
)

withSshd('where no key is configured the server makes its own, once, and nobody else reads it', t =>
  rig(t, async ({ folder, data, place }) => {
    const own = { ...place, keyFile: null }
    await t.throwsAsync(listBySftp(own, data), {
      code: 'SFTP_DENIED',
      message: /letro backup status shows it/,
    })
    const [{ publicKey, file }, again] = await Promise.all([ownSshKey(data), ownSshKey(data)])
    t.is(again.publicKey, publicKey)
    t.regex(publicKey, /^ssh-ed25519 \S+ letro-backup$/)
    t.is((await stat(file)).mode & 0o777, 0o600)
    t.deepEqual(await readdir(join(data, 'keys')), ['backup-ssh'])
    await appendFile(join(folder, 'ssh/authorized'), `${publicKey}\n`)
    t.deepEqual(await listBySftp(own, data), [])
  }),
)

withSshd('another host key is refused, and nothing is sent', t =>
  rig(t, async ({ folder, data, away, place }) => {
    const other = await startSshd(ssh!, join(folder, 'other'))
    await other.close()
    await writeFile(join(data, 'backups', name), 'x')
    const swapped = { ...place, hostKey: other.hostKey }
    const error = await t.throwsAsync(putBySftp(swapped, data, join(data, 'backups'), name), {
      code: 'SFTP_HOST_KEY',
    })
    t.regex(error!.message, /another host key than backup.sftp_host_key. Nothing was sent/)
    t.deepEqual(await readdir(away), [])
  }),
)

withSshd('a key that the other machine does not know, or that is not there, is said', t =>
  rig(t, async ({ folder, data, place }) => {
    const other = await startSshd(ssh!, join(folder, 'other'))
    await other.close()
    await t.throwsAsync(listBySftp({ ...place, keyFile: other.keyFile }, data), { code: 'SFTP_DENIED' })
    await t.throwsAsync(listBySftp({ ...place, keyFile: '/nowhere' }, data), { code: 'SFTP_DENIED' })
  }),
)

withSshd('a folder that is not there is said in the words of sftp', t =>
  rig(t, async ({ data, place }) => {
    const error = await t.throwsAsync(listBySftp({ ...place, folder: '/no/such/folder' }, data), {
      code: 'SFTP_FAILED',
    })
    t.regex(error!.message, /No such file/)
  }),
)

withSshd('an SFTP that hangs after signing in is killed, with all of it, and said', t =>
  withFolder(t, async folder => {
    const silent = join(folder, 'silent.sh')
    await writeFile(silent, '#!/bin/sh\nexec sleep 600\n')
    await chmod(silent, 0o755)
    await rig(
      t,
      async ({ data, place }) => {
        const error = await t.throwsAsync(listBySftp({ ...place, timeoutMs: 3_000 }, data), {
          code: 'SFTP_TIMEOUT',
        })
        t.regex(error!.message, /did not finish within .* and was ended/)
        t.false(await runs(`127.0.0.1`, place.port))
      },
      silent,
    )
  }),
)

test('a machine that accepts and says nothing is given up', t =>
  withFolder(t, async folder => {
    const sockets: { destroy(): void }[] = []
    const server = createServer(socket => void sockets.push(socket))
    const port = await freePort()
    await new Promise<void>(ready => server.listen(port, '127.0.0.1', ready))
    const keyFile = join(folder, 'key')
    await writeFile(keyFile, 'no key')
    const hostKey = `ssh-ed25519 ${'A'.repeat(68)}`
    const place = { user: 'a', host: '127.0.0.1', port, folder: '', hostKey, keyFile, timeoutMs: 2_000 }
    await t.throwsAsync(listBySftp(place, folder), { code: 'SFTP_TIMEOUT' })
    for (const socket of sockets) socket.destroy()
    server.close()
  }))

test('an address can hold no option and no command', t => {
  t.deepEqual(parseSftp('sftp://letro@backup.example:2222/a b/c'), {
    user: 'letro',
    host: 'backup.example',
    port: 2222,
    folder: '/a b/c',
  })
  t.is(parseSftp('sftp://letro@backup.example')?.port, 22)
  for (const bad of [
    'sftp://-oProxyCommand=x@host/',
    'sftp://user@-host/',
    'sftp://user@host:0/',
    'sftp://user@host:99999/',
    'sftp://user:secret@host/',
    'sftp://user@host/a\nput x',
    'ftp://user@host/',
    'user@host:/x',
    5,
  ]) {
    t.is(parseSftp(bad), undefined, String(bad))
  }
})

/** Whether a process of ours still talks to that port. */
async function runs(host: string, port: number): Promise<boolean> {
  for (const pid of (await readdir('/proc')).filter(entry => /^[0-9]+$/.test(entry))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (/^(?:\/usr\/bin\/)?(?:ssh|sftp)\0/.test(line) && line.includes(host) && line.includes(String(port)))
      return true
  }
  return false
}

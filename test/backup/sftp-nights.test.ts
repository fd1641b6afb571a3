/** Nights with another machine: copies arrive, a night that failed is made up for, and little waits here. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { verifyBackup } from '../../server/backup/verify.ts'
import { adminToken } from '../support/administered.ts'
import { findOpenSsh, startSshd } from '../support/openssh.ts'
import { startTestServer } from '../support/server.ts'
import { newKeys, withFolder } from './backup-data.ts'

const ssh = findOpenSsh()
const withSshd = ssh ? test : test.skip

withSshd('backups go to the other machine each night, also after one on which it was away', t =>
  withFolder(t, async folder => {
    const sshd = await startSshd(ssh!, join(folder, 'ssh'))
    const away = join(folder, 'away')
    const elsewhere = join(folder, 'elsewhere')
    for (const each of [away, elsewhere]) await mkdir(each)
    const { identity, recipient } = await newKeys()
    const token = join(folder, 'token')
    await writeFile(token, adminToken, { mode: 0o600 })
    let now = Date.now()
    const server = await startTestServer({
      clock: () => now,
      config: `[admin]
token_file = "${token}"
[backup]
recipients = ["${recipient}"]
keep = 1
full_every_days = 3
sftp = "sftp://${sshd.user}@127.0.0.1:${sshd.port}${away}"
sftp_host_key = "${sshd.hostKey}"
sftp_key_file = "${sshd.keyFile}"
sftp_timeout_minutes = 1
`,
    })
    const night = async () => {
      now += 24 * 3_600_000
      await server.app.runDuties()
      return (await server.call('GET', '/_letro/admin/v1/backups', { token: adminToken })).body
    }
    try {
      const first = await night()
      t.deepEqual(first.last_success?.places, ['sftp'], JSON.stringify(first.last_failure))
      t.deepEqual(await readdir(join(server.dataFolder, 'backups')), [], 'nothing waits here')
      const second = await night()
      t.false(second.last_success.full, 'it builds on what lies on the other machine')
      t.is((await readdir(away)).length, 2)

      // The folder there is gone for a night.
      await rename(away, join(elsewhere, 'away'))
      const third = await night()
      t.is(third.last_failure.code, 'SFTP_FAILED')
      t.is(third.last_success.name, second.last_success.name)
      t.is((await readdir(join(server.dataFolder, 'backups'))).length, 1, 'it waits for its way')
      await rename(join(elsewhere, 'away'), away)
      // Within the hour the copy is made up for, without another backup.
      now += 3_600_000
      await server.app.runDuties()
      const { body: later } = await server.call('GET', '/_letro/admin/v1/backups', { token: adminToken })
      t.is(later.last_success.name, third.last_written.name)
      t.is(later.last_failure, undefined)
      const names = (await readdir(away)).sort()
      t.true(names.includes(later.last_success.name))
      t.false(existsSync(join(server.dataFolder, 'backups', later.last_success.name)))
      const newest = join(away, later.last_success.name)
      t.true((await verifyBackup(newest, folder, { keys: { identities: [identity] } })).isSound)
    } finally {
      await server.close()
      await sshd.close()
    }
  }),
)

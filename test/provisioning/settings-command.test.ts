/** `letro settings` as a process, against a server that answers at the socket in its data folder. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listenAtSocket } from '../../server/http/server.ts'
import { startTestServer } from '../support/server.ts'

const command = join(import.meta.dirname, '../../provisioning/letro.ts')

async function open(t: ExecutionContext) {
  const server = await startTestServer({ config: '[devices]\nlock_after_days = 20' })
  const socket = await listenAtSocket(server.app.localListener, join(server.dataFolder, 'admin.sock'))
  t.teardown(async () => {
    await socket.close(0)
    await server.close()
  })
  const letro = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>(done => {
      const all = [command, 'settings', ...args, '--data', server.dataFolder]
      execFile(process.execPath, all, (error, out, err) =>
        done({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      )
    })
  return { server, letro }
}

test('a setting is shown, set, taken back, and refused with a reason', async t => {
  const { server, letro } = await open(t)
  const listed = await letro('list', 'devices')
  t.is(listed.out, '* devices.lock_after_days = 20  (letro.toml)\n')
  const explained = await letro('list', 'devices', '--explain')
  t.is(
    explained.out,
    '* devices.lock_after_days = 20  (letro.toml)\n' +
      '    A device that had no contact with the server for so long locks itself until\n' +
      '    it has. 0: never.\n' +
      `    Allowed: a number of days, 0 to 365\n`,
  )
  const set = await letro('set', 'devices.lock_after_days', '7')
  t.is(set.out, '* devices.lock_after_days = 7  (set here)\nIt counts from now on.\n')
  t.is(server.app.settings.current.devices.lockAfterDays, 7)
  const waits = await letro('set', 'presence.enabled', 'true')
  t.regex(waits.out, /until the next start: false\)\nIt counts after the next start/)
  const reset = await letro('reset', 'devices.lock_after_days', '--json')
  t.like(JSON.parse(reset.out), { key: 'devices.lock_after_days', value: '20', from: 'file' })
  const refused = await letro('set', 'devices.lock_after_days', 'never')
  t.is(refused.code, 1)
  t.regex(refused.err, /allowed is a number of days, 0 to 365/)
  t.is((await letro('set', 'devices.lock_after_days')).code, 2)
  t.is((await letro('set', 'listen.trust_page', '--none')).code, 0)
  t.regex((await letro('reset', 'no.such')).err, /There is no setting no\.such/)
})

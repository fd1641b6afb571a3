/** `letro update` as a process, against a server with a real updater on files. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { serveUpdater } from '../../appliance/update/socket.ts'
import { listenAtSocket } from '../../server/http/server.ts'
import { startTestServer } from '../support/server.ts'
import { makeRelease, makeUpdateFile, TestAppliance } from '../support/update-disk.ts'

const one = makeRelease('1.0.0')
const two = makeRelease('1.1.0', { counter: 2 })
const command = join(import.meta.dirname, '../../provisioning/letro.ts')

function letro(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [command, 'update', ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

async function site(t: ExecutionContext) {
  const made = await TestAppliance.make(one)
  const socket = join(made.folder, 'socket')
  const listening = await serveUpdater(await made.updater(), socket)
  const server = await startTestServer({ config: `[appliance]\nupdate_socket = "${socket}"\n` })
  const local = await listenAtSocket(server.app.localListener, join(server.dataFolder, 'admin.sock'))
  t.teardown(async () => {
    listening.close()
    await local.close(0)
    await server.close()
    await made.close()
  })
  return { made, data: ['--data', server.dataFolder] }
}

test('from a file to a restart, in words for people', async t => {
  const { made, data } = await site(t)
  const file = await makeUpdateFile(join(made.folder, 'letro-1.1.0-amd64.update'), two)
  const before = await letro('status', ...data)
  t.is(before.code, 0)
  t.regex(before.out, /Release 1\.0\.0 runs, from slot A\./)
  const checked = await letro(file, '--check', ...data)
  t.is(checked.code, 0)
  t.regex(checked.out, /is release 1\.1\.0: signed by a key/)
  t.is(await made.boot([one, two]), one)
  const asked = await letro(file, ...data)
  t.is(asked.code, 2)
  t.regex(asked.err, /no terminal to ask at/)
  const applied = await letro(file, '--yes', ...data)
  t.is(applied.err, '')
  t.regex(
    applied.out,
    /Uploading: 100 %[\s\S]*1\.1\.0 is written and waits for a restart: letro update restart/,
  )
  t.is(await made.boot([one, two]), two)
  t.regex((await letro('window', '02:00-04:00', ...data)).out, /between 02:00-04:00/)
  const status = await letro('status', ...data)
  t.regex(status.out, /Release 1\.1\.0 is written and waits for a restart\.\n.*between 02:00-04:00/)
  const json = JSON.parse((await letro('status', '--json', ...data)).out)
  t.is(json.waiting.version, '1.1.0')
  t.regex((await letro('restart', '--yes', ...data)).out, /It restarts into 1\.1\.0/)
  t.is(made.restarts, 1)
})

test('what cannot be done is a sentence and an exit code', async t => {
  const { made, data } = await site(t)
  const letter = join(made.folder, 'letter.update')
  await writeFile(letter, 'Dear Sir or Madam')
  const refused = await letro(letter, '--yes', ...data)
  t.is(refused.code, 1)
  t.regex(refused.err, /This file is no update of Letro\. Nothing was changed\./)
  t.regex((await letro('status', ...data)).out, /refused: This file is no update of Letro/)
  t.is((await letro(join(made.folder, 'none.update'), ...data)).code, 4)
  const restart = await letro('restart', '--yes', ...data)
  t.is(restart.code, 1)
  t.regex(restart.err, /No update waits for a restart/)
  const window = await letro('window', 'at-night', ...data)
  t.is(window.code, 1)
  t.regex(window.err, /02:00-04:00/)
})

/** The console's end of the updater's socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Progress } from '../../appliance/console/machine.ts'
import { UpdaterSocket } from '../../appliance/console/real/updater-socket.ts'

/** Answers whatever is asked with these bytes, in pieces. */
async function updaterThat(
  t: ExecutionContext,
  pieces: readonly string[],
): Promise<{ path: string; asked: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'letro-updater-'))
  const path = join(folder, 'socket')
  const asked: string[] = []
  const server: Server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', async bytes => {
      asked.push(String(bytes))
      for (const piece of pieces) {
        socket.write(piece)
        await new Promise(done => setTimeout(done, 5))
      }
      socket.end()
    })
  })
  await new Promise<void>(done => server.listen(path, done))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { path, asked }
}

test('progress is told as it comes, however the lines are cut', async t => {
  const { path, asked } = await updaterThat(t, [
    '{"progress":{"act":"apply","step":"root","bytes":50000000,"of":100',
    '000000}}\n{"progress":{"act":"apply","step":"uki","bytes":1,"of":2}}\n{"done":',
    'true}\n',
  ])
  const told: Progress[] = []
  await new UpdaterSocket(path).apply('/run/letro/stick/x.update', progress => told.push(progress))
  t.deepEqual(told, [
    { text: 'Writing the system to the other slot: 50 of 100 MB', part: 0.5 },
    { text: 'Writing the kernel image', part: 0.5 },
  ])
  t.deepEqual(JSON.parse(asked[0]!), { do: 'apply', file: '/run/letro/stick/x.update' })
})

test('a refusal has the updater’s own code and sentence', async t => {
  const { path } = await updaterThat(t, [
    '{"done":false,"code":"UPDATE_FORGED","sentence":"It was changed."}\n',
  ])
  await t.throwsAsync(
    new UpdaterSocket(path).check('/x.update', () => {}),
    {
      code: 'UPDATE_FORGED',
      message: 'It was changed.',
    },
  )
})

for (const [what, pieces] of [
  ['breaks off', ['{"progress":{}}\n{"do']],
  ['says nothing', []],
  ['says what is no JSON', ['hello\n']],
] as const)
  test(`an updater that ${what} is away`, async t => {
    const { path } = await updaterThat(t, pieces)
    await t.throwsAsync(new UpdaterSocket(path).status(), { code: 'UPDATER_AWAY' })
  })

test('so is one that is not there', async t => {
  await t.throwsAsync(new UpdaterSocket('/nonexistent/socket').restartAt('now'), { code: 'UPDATER_AWAY' })
})

/** What the server starts has nothing of the database open: not to write to it, and not to keep its disk busy. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { silentLog } from '../../server/http/log.ts'
import { childStdio } from '../../server/store/child-stdio.ts'
import { openLevel } from '../../server/store/level-engine.ts'
import { openWorkerProcess } from '../../server/worker-process.ts'

const onLinux = process.platform === 'linux' ? test : test.skip
const server = join(import.meta.dirname, '..', '..', 'server')

onLinux('a child has none of the database’s files, whatever else it is started with', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'letro-child-'))
  const level = await openLevel(folder)
  await level.put('a', 'b')
  t.teardown(async () => {
    await level.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const ofDatabase = (pid: number | string) =>
    readdirSync(`/proc/${pid}/fd`)
      .map(number => linkOf(`/proc/${pid}/fd/${number}`))
      .filter(target => target.startsWith(folder))
  t.true(ofDatabase('self').length > 0)

  const child = spawn('ls', ['-l', '/proc/self/fd'], { stdio: childStdio('ignore', 'pipe', 'ignore') })
  const listed = await text(child.stdout)
  t.regex(listed, /\/dev\/null/)
  t.false(listed.includes(folder), listed)

  const worker = openWorkerProcess({ dataFolder: folder, log: silentLog })
  t.teardown(() => worker.close())
  await worker.hash('a password')
  t.deepEqual(ofDatabase(worker.pid!), [])
})

test('whatever starts a program in the server says so with what', t => {
  const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.ts'),
  )
  const starting = files.filter(name => {
    const source = readFileSync(join(server, name), 'utf8')
    return /\bfrom 'node:child_process'/.test(source) && !/stdio: childStdio\(/.test(source)
  })
  // Our own code, for a moment, with what is ours: the command that renews the certificate.
  t.deepEqual(starting, ['own-certificate.ts'])
})

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed meanwhile.
    return ''
  }
}

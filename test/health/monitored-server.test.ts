/** A whole server and a collector: the audit arrives, and so does the news that the data is damaged. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { StartRefused } from '../../server/data-folder.ts'
import { startTestServer } from '../support/server.ts'
import { startCollector } from './collector.ts'

async function monitored(t: ExecutionContext) {
  const collector = await startCollector()
  const authority = join(tmpdir(), `letro-collector-${process.pid}-${Math.random()}.pem`)
  await writeFile(authority, collector.at.authority!)
  const server = await startTestServer({
    config: `[syslog]\naddress = "localhost:${collector.at.port}"\nauthority = "${authority}"`,
  })
  t.teardown(async () => {
    await server.close()
    await collector.close()
    await rm(authority)
  })
  return { server, collector }
}

test('what is done on a server is at its collector, without anybody’s name', async t => {
  const { server, collector } = await monitored(t)
  await server.register('alice')
  await server.app.runDuties()
  const acts = collector.lines.filter(({ messageId }) => messageId === 'audit')
  t.true(acts.some(({ message }) => message.action === 'account.register'))
  t.true(collector.lines.every(({ hostname }) => hostname === 'localhost'))
  for (const { raw } of collector.lines) t.notRegex(raw, /alice|@/)
  const count = collector.lines.length
  await server.restart()
  await server.app.runDuties()
  const again = collector.lines.slice(count).filter(({ messageId }) => messageId === 'audit')
  t.deepEqual(again, [], 'nothing comes a second time')
})

test('damaged data is told to the collector at once: nothing can be kept for later', async t => {
  const { server, collector } = await monitored(t)
  for (const name of ['alice', 'bob', 'carol']) await server.register(name)
  await server.restart(async () => {
    const db = join(server.dataFolder, 'store', 'db')
    const [log] = (await readdir(db)).filter(name => name.endsWith('.log'))
    const bytes = await readFile(join(db, log!))
    bytes[bytes.length >> 1]! ^= 8
    await writeFile(join(db, log!), bytes)
  })
  t.is(server.app.state, 'maintenance')
  while (collector.lines.length === 0) await pause(20)
  t.like(collector.lines[0], { severity: 1, messageId: 'health', message: { code: 'store.maintenance' } })
})

test('files that will not do are refused at the start, with the key that names them', async t => {
  const file = join(tmpdir(), `letro-wrong-${process.pid}`)
  await writeFile(file, 'short')
  t.teardown(() => rm(file))
  for (const [config, words] of [
    [`[metrics]\ntoken_file = "${file}"`, /metrics\.token_file = .* at least 32/],
    [`[metrics]\ntoken_file = "${file}-not-there"`, /metrics\.token_file = .*ENOENT/],
    [`[syslog]\naddress = "c.example:6514"\nauthority = "${file}"`, /syslog\.authority = .* no PEM/],
  ] as const) {
    const error = await t.throwsAsync(startTestServer({ config }))
    t.true(error instanceof StartRefused)
    t.regex(error!.message, words)
  }
})

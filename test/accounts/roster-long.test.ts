/** A list of 100,000 people, applied: alone in its file, because it takes a process for half a minute. */
import test from 'ava'
import { openHarness } from './harness.ts'

const path = '/_letro/admin/v1/people/import'

test('a list of 100,000 lines is applied in batches, while others are answered, within a bound of memory', async t => {
  t.timeout(15 * 60_000)
  const h = await openHarness()
  t.teardown(() => h.close())
  const root = await h.administrator()
  const csv = `username,name\n${Array.from({ length: 100_000 }, (_, i) => `u${i},Person ${i}`).join('\n')}`
  const watching = await h.administrator('watching')
  let isDone = false
  const applying = h.post(path, { csv, apply: true }, root.token).finally(() => {
    isDone = true
  })
  const seen = new Set<number>()
  let most = 0
  while (!isDone) {
    await new Promise(next => setTimeout(next, 250))
    // A process that stood still may have closed a connection that had just come: a client asks again.
    const answer = await h.get(path, watching.token).catch(() => null)
    if (answer?.body.running) seen.add(answer.body.running.done)
    most = Math.max(most, process.memoryUsage().heapUsed)
  }
  const { status, body } = await applying
  t.is(status, 200)
  t.is(body.new.length, 100_000)
  t.true(body.new.every(({ link }: { link?: string }) => link !== undefined))
  t.true(seen.size >= 5, `progress was seen ${seen.size} times`)
  t.log(`${Math.round(most / 2 ** 20)} MiB of heap at most, store of the test included`)
  t.true(most < 1.5 * 2 ** 30)
  t.true((await h.accounts.audit.check()).kind === 'whole')
})

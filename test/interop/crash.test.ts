/** kill -9, fifty times, while people write: what was acknowledged is there, once, and in order. */
import test from 'ava'
import { Load } from '../support/load.ts'
import { ServerProcess, sleep } from '../support/server-process.ts'

const kills = 50

test('fifty kills under load lose nothing that was acknowledged, and nothing is there twice', async t => {
  const server = await ServerProcess.start({ compileCache: true })
  t.teardown(async () => {
    if (!t.passed) t.log(server.output.slice(-3_000))
    await server.remove()
  })
  t.is(await server.stop(), 0)
  await server.start()
  const load = await Load.prepare(server, { people: 12, rooms: 4, devices: true })
  load.start()
  let repeats = 0
  const starts: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    const before = load.acknowledged.length
    await sleep(100 + Math.random() * 500)
    // Nothing is proved by killing a server that has nothing to do.
    while (load.acknowledged.length < before + 20) await sleep(10)
    await server.kill()
    starts.push(await server.start())
    repeats += await load.repeatSome(10)
  }
  await load.stop()
  const findings = await load.check()
  const acknowledged = load.acknowledged.length
  starts.sort((a, b) => a - b)
  t.log(
    `${kills} kills · ${acknowledged} messages acknowledged, ${load.repeated} only after they were sent again · ` +
      `${repeats} sent again later · ${load.toDeviceSent} to-device messages · ${load.claims} one-time keys · ` +
      `${load.syncs} syncs · start p50 ${Math.round(starts[kills / 2]!)} ms, max ${Math.round(starts.at(-1)!)} ms`,
  )
  t.deepEqual(
    Object.entries(findings).map(([what, list]) => [what, list.length, list.slice(0, 5)]),
    Object.keys(findings).map(what => [what, 0, []]),
  )
  t.true(acknowledged > kills * 20 && load.repeated > 0 && load.claims > kills && load.toDeviceSent > kills)
})

/**
 * `npm run demo:kill [-- KILLS]`: starts a server, lets people write, kills it with kill -9 and counts what is there.
 *
 * Everything happens in a temporary folder, which is removed at the end.
 */
import { Load } from '../test/support/load.ts'
import { ServerProcess, sleep } from '../test/support/server-process.ts'

const kills = Number(process.argv[2] ?? 5)
if (!Number.isInteger(kills) || kills < 1 || kills > 1_000) {
  console.error('usage: npm run demo:kill [-- KILLS], 1 to 1000')
  process.exit(2)
}

const people = 16
const columns = [6, 24, 24, 12, 14]
const row = (...cells: (string | number)[]) =>
  console.log(cells.map((cell, i) => text(cell).padStart(columns[i]!)).join(''))
const text = (cell: string | number) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)

const server = await ServerProcess.start()
let lost = 0
try {
  const load = await Load.prepare(server, { people, rooms: 4, devices: false })
  console.log(`\n${people} people write in 4 rooms, as fast as they get answers. Then: kill -9.\n`)
  row('kill', 'messages acknowledged', 'there after the restart', 'missing', 'back after')
  load.start()
  for (let kill = 1; kill <= kills; kill++) {
    await sleep(1_000)
    await server.kill()
    // An answer that was on its way when the server died may still arrive: it counts.
    await sleep(50)
    const promised = load.acknowledged.length
    const ms = await server.start()
    const present = await load.present(promised)
    lost += promised - present
    row(kill, promised, present, promised - present, `${Math.round(ms)} ms`)
  }
  await load.stop()
  const repeats = await load.repeatSome(200)
  const findings = await load.check()
  lost += findings.missing.length
  console.log(`
${text(load.acknowledged.length)} messages acknowledged in all, ${findings.missing.length} missing, ${findings.twice.length} there twice.
${text(load.repeated)} got no answer when the server died; their people sent them again under the same transaction id.
${text(repeats)} others were sent again at the end: ${findings.otherEvent.length} got another event id than the first time.`)
  lost += findings.twice.length + findings.otherEvent.length + findings.unexpected.length
} finally {
  await server.remove()
}
process.exit(lost === 0 ? 0 : 1)

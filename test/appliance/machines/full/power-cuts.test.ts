/** The plug is pulled ten times in the middle of an update, at moments that a seed chooses. */
import { setTimeout as sleep } from 'node:timers/promises'
import test, { registerCompletionHandler } from 'ava'
import { SiteMachine } from '../golden.ts'
import { prepared, settings } from '../settings.ts'
import { beginUpdate, updateStick } from '../updating.ts'

const { current, next } = prepared()
registerCompletionHandler(() => process.exit())
const seed = Number(process.env['LETRO_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test('whenever the plug is pulled during an update, one of the two releases runs and nothing is lost', async t => {
  t.log(`seed ${seed}: LETRO_SEED=${seed} tries the same again`)
  const random = randomFrom(seed)
  const { own, ...first } = await SiteMachine.withPeople(t, 'power-cuts')
  let { operator } = first
  const stick = updateStick(next)
  let isNext = false
  for (let cut = 1; cut <= 10; cut++) {
    if (isNext) {
      // It has got through: the next cuts are in the middle of people's writing.
      await own.people.say(`before cut ${cut}`)
      await sleep(random() * 3_000)
    } else {
      await own.machine.plug('update', stick)
      await beginUpdate(operator, next)
      // Shorter than it takes to write, but for the last.
      await sleep(random() * (cut < 10 ? 15_000 : 60_000))
    }
    const screen = own.machine.screen.sentences.slice(0, 120)
    await own.machine.cut()
    operator = await own.powerOn(t)
    await own.serves()
    const [, version] = await operator.sees(/(\d+\.\d+\.\d+) in slot [AB]/, settings.bootMs)
    t.log(`cut ${cut} (${screen}): ${version} runs`)
    t.true(version === current.version || version === next.version, `an unknown release runs: ${version}`)
    isNext = version === next.version
    await own.keepsItsPromise(t)
  }
})

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

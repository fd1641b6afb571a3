/** Who keeps the clock right is asked seldom while somebody does, and soon again while nobody does yet. */
import test from 'ava'
import { openTimeKeeping } from '../../server/health/time-keeping.ts'

test('a no is asked again within half a minute, a yes holds for five', async t => {
  let now = 0
  let asked = 0
  const answers = [false, null, true, false]
  const isKept = openTimeKeeping(
    () => now,
    async () => answers[asked++]!,
  )
  const at = async (seconds: number) => {
    now = seconds * 1000
    return isKept()
  }
  t.is(await at(0), false)
  t.is(await at(29), false)
  t.is(await at(30), null)
  t.is(await at(60), true)
  t.is(await at(359), true)
  t.is(asked, 3)
  t.is(await at(360), false)
})

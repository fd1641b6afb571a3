/** The bounded map of what was used lately. */
import test from 'ava'
import fc from 'fast-check'
import { Recent } from '../../server/rooms/recent.ts'

test('what was used lately stays, what was not goes', t => {
  const recent = new Recent<number, string>(10)
  for (let i = 0; i < 100; i++) {
    recent.set(i, `${i}`)
    t.is(recent.get(0), '0')
  }
  t.is(recent.get(99), '99')
  t.is(recent.get(50), undefined)
})

test('whatever is put in, what is kept weighs no more than was allowed and the last thing put in', t => {
  const weight = fc.integer({ min: 1, max: 300 })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(20), weight, fc.boolean()), { minLength: 100, maxLength: 200 }),
      (steps: [number, number, boolean][]) => {
        const recent = new Recent<number, number>(1_000, value => value)
        for (const [key, value, isTaken] of steps) {
          if (isTaken) recent.delete(key)
          else {
            recent.set(key, value)
            t.is(recent.get(key), value)
          }
          const kept = [...recent.values()].reduce((sum, each) => sum + each, 0)
          t.true(kept <= 1_000 + 300 * 2)
        }
      },
    ),
  )
})

test('large things push out more than small ones do', t => {
  const recent = new Recent<number, string>(1_000, text => text.length)
  for (let i = 0; i < 20; i++) recent.set(i, 'x'.repeat(10))
  t.is([...recent.values()].length, 20)
  for (let i = 20; i < 24; i++) recent.set(i, 'x'.repeat(300))
  t.is(recent.get(0), undefined)
  t.truthy(recent.get(23))
})

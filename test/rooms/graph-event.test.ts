import test from 'ava'
import fc from 'fast-check'
import { splitStateKey, stateKeyOf } from '../../server/rooms/graph-event.ts'
import { PriorityQueue } from '../../server/rooms/priority-queue.ts'

const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('1', ':', 'a', '\u001f', '😀') }))

test('a type and a state key come back out of their key, whatever they hold', t => {
  fc.assert(
    fc.property(text, text, (type, stateKey) => {
      t.deepEqual(splitStateKey(stateKeyOf(type, stateKey)), { type, stateKey })
    }),
    { numRuns: 500 },
  )
})

test('no two places in the state share a key by moving characters between type and state key', t => {
  t.not(stateKeyOf('m.room.member@a', 'b'), stateKeyOf('m.room.member', '@ab'))
  t.not(stateKeyOf('', '1:a'), stateKeyOf('1:a', ''))
})

test('a priority queue gives back the smallest first, for any order of pushes and pops', t => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer())), steps => {
      const queue = new PriorityQueue<number>((a, b) => a - b)
      const model: number[] = []
      for (const step of steps) {
        if (step === null) {
          model.sort((a, b) => a - b)
          t.is(queue.pop(), model.shift())
        } else {
          queue.push(step)
          model.push(step)
        }
      }
      model.sort((a, b) => a - b)
      for (const expected of [...model, undefined]) t.is(queue.pop(), expected)
    }),
    { numRuns: 300 },
  )
})

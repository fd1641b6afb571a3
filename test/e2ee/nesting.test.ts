import test from 'ava'
import type { Json } from '#protocol/json.ts'
import { isNestedTooDeep, maxNesting } from '../../pwa/e2ee/nesting.ts'

const arrays = (levels: number): Json => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
const objects = (levels: number): Json => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)

test('a value as deep as allowed passes, one level more does not', t => {
  for (const nested of [arrays, objects]) {
    t.false(isNestedTooDeep(nested(maxNesting)))
    t.true(isNestedTooDeep(nested(maxNesting + 1)))
  }
})

test('what is no container is not deep', t => {
  for (const value of [null, true, 0, 'text', undefined]) t.false(isNestedTooDeep(value, 0))
})

test('one deep member among shallow ones is found, wherever it stands', t => {
  t.true(isNestedTooDeep({ a: 1, b: [2, { c: arrays(maxNesting) }], d: 3 }))
  t.true(isNestedTooDeep([objects(maxNesting), 1]))
  t.false(isNestedTooDeep(Array.from({ length: 10_000 }, () => ({ a: [1] }))))
})

test('a value that is far too deep is said to be so, and does not exhaust the stack', t => {
  // JSON.parse itself goes deeper than any recursion over the value would.
  let value: Json = 1
  for (let i = 0; i < 200_000; i++) value = [value]
  t.true(isNestedTooDeep(value))
})

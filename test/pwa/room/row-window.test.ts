import test from 'ava'
import {
  firstRows,
  mostRows,
  realigned,
  slidDown,
  slidUp,
  windowAround,
  windowAtEnd,
} from '../../../pwa/views/room/row-window.ts'

const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ key: `r${from + i}` }))

test('a window is bounded however long the list is', t => {
  let window = windowAtEnd(20_000)
  for (let i = 0; i < 2000; i++) {
    window = slidUp(window)
    t.true(window.end - window.start <= mostRows)
  }
  t.is(window.start, 0)
  for (let i = 0; i < 2000; i++) window = slidDown(window, 20_000)
  t.is(window.end, 20_000)
  t.is(window.end - window.start, mostRows)
})

test('a place is in its window, also near the ends', t => {
  for (const index of [0, 3, 500, 997, 999]) {
    const { start, end } = windowAround(index, 1000)
    t.true(start <= index && index < end)
    t.is(end - start, firstRows)
  }
  t.deepEqual(windowAround(0, 3), { start: 0, end: 3 })
})

test('rows that come above move the window, not what it shows', t => {
  t.deepEqual(realigned({ start: 10, end: 40 }, rows(50, 150), rows(0, 150)), { start: 60, end: 90 })
})

test('rows at the end join a window that reaches it', t => {
  t.deepEqual(realigned({ start: 80, end: 100 }, rows(0, 100), rows(0, 103)), { start: 80, end: 103 })
  t.deepEqual(realigned({ start: 60, end: 80 }, rows(0, 100), rows(0, 103)), { start: 60, end: 80 })
})

test('a list that is another one is shown from its end', t => {
  t.deepEqual(realigned({ start: 0, end: 5 }, rows(0, 5), rows(500, 600)), windowAtEnd(100))
})

test('rows that went away leave a window of what is left', t => {
  t.deepEqual(realigned({ start: 0, end: 4 }, rows(0, 10), rows(2, 10)), { start: 0, end: 2 })
})

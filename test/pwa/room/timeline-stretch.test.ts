import test from 'ava'
import type { TimelineItem, TimelinePage, TimelineQuery } from '../../../pwa/sync/timeline-item.ts'
import { heldItems, pageItems, TimelineStretch } from '../../../pwa/views/room/timeline-stretch.ts'
import { item } from './items.ts'

const roomId = '!ward:clinic.example'

/** A history as the worker answers it. */
class History {
  items: TimelineItem[]
  readonly asked: TimelineQuery[] = []
  fails = false
  constructor(count: number) {
    this.items = Array.from({ length: count }, (_, i) => item(`m${i}`))
  }
  readonly ask = async (query: TimelineQuery): Promise<TimelinePage> => {
    this.asked.push(query)
    await null
    if (this.fails) throw Object.assign(new Error('no'), { code: 'OFFLINE' })
    const { at } = query
    const place =
      at === 'end'
        ? this.items.length
        : this.items.findIndex(each => 'eventId' in at && each.eventId === at.eventId)
    const start = Math.max(0, place - query.before)
    const end = Math.min(this.items.length, place + query.after)
    return {
      // Through a worker: equal, and never the same objects.
      items: structuredClone(this.items.slice(start, end)),
      hasOlder: start > 0,
      hasNewer: end < this.items.length,
      offline: false,
    }
  }
}

function opened(count: number) {
  const history = new History(count)
  const stretch = new TimelineStretch({ roomId }, history.ask, () => {})
  return { history, stretch }
}
const keys = (stretch: TimelineStretch) => stretch.items.map(each => each.key)

test('a room opens at its end', async t => {
  const { stretch } = opened(200)
  await stretch.open('end')
  t.is(keys(stretch).at(-1), 'm199')
  t.is(stretch.items.length, pageItems)
  t.true(stretch.hasOlder)
  t.false(stretch.hasNewer)
})

test('a history of 20,000 is walked up and down without a gap, and never held whole', async t => {
  const { stretch } = opened(20_000)
  await stretch.open('end')
  let steps = 0
  while (stretch.hasOlder && steps++ < 1000) {
    await stretch.older()
    t.true(stretch.items.length <= heldItems)
  }
  t.is(keys(stretch)[0], 'm0')
  while (stretch.hasNewer && steps++ < 1000) await stretch.newer()
  t.is(keys(stretch).at(-1), 'm19999')
  const numbers = keys(stretch).map(key => Number(key.slice(1)))
  t.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => numbers[0]! + i),
  )
})

test('what comes while the end is held joins it, and nothing is added above', async t => {
  const { history, stretch } = opened(200)
  await stretch.open('end')
  history.items.push(item('new'))
  await stretch.refresh()
  t.is(keys(stretch).at(-1), 'new')
  t.is(keys(stretch)[0], 'm150')
})

test('in the middle of a history, a notice asks for the same stretch', async t => {
  const { history, stretch } = opened(1000)
  await stretch.open({ eventId: '$m500' })
  const before = keys(stretch)
  history.items[500] = item('m500', { content: { msgtype: 'm.text', body: 'edited' } })
  history.items.push(item('new'))
  await stretch.refresh()
  t.deepEqual(keys(stretch), before)
  t.is(stretch.items.find(each => each.key === 'm500')?.content['body'], 'edited')
})

test('items that say the same stay the same objects', async t => {
  const { history, stretch } = opened(20)
  await stretch.open('end')
  const before = stretch.items
  history.items[3] = item('m3', { editedTs: 5 })
  await stretch.refresh()
  t.is(stretch.items[2], before[2]!)
  t.not(stretch.items[3], before[3]!)
})

test('many notices at once are few questions', async t => {
  const { history, stretch } = opened(20)
  await stretch.open('end')
  history.asked.length = 0
  await Promise.all(Array.from({ length: 50 }, () => stretch.refresh()))
  t.true(history.asked.length <= 2)
})

test('a notice while more is fetched is not lost', async t => {
  const { history, stretch } = opened(200)
  await stretch.open('end')
  const more = stretch.older()
  history.items.push(item('new'))
  await stretch.refresh()
  await more
  t.is(keys(stretch).at(-1), 'new')
})

test('the answer for a place that was left counts for nothing', async t => {
  const { stretch } = opened(1000)
  await Promise.all([stretch.open({ eventId: '$m10' }), stretch.open('end')])
  t.is(keys(stretch).at(-1), 'm999')
})

test('what fails is said, what is held stays, and it can be tried again', async t => {
  const { history, stretch } = opened(200)
  await stretch.open('end')
  history.fails = true
  await stretch.older()
  t.like(stretch.error, { code: 'OFFLINE' })
  t.is(stretch.items.length, pageItems)
  history.fails = false
  await stretch.older()
  t.is(stretch.error, null)
  t.is(stretch.items.length, 2 * pageItems)
})

test('a server that promises more for ever is not asked for ever', async t => {
  const page: TimelinePage = { items: [item('a')], hasOlder: true, hasNewer: true, offline: false }
  const stretch = new TimelineStretch(
    { roomId },
    async () => page,
    () => {},
  )
  await stretch.open('end')
  await stretch.older()
  await stretch.newer()
  t.false(stretch.hasOlder)
  t.false(stretch.hasNewer)
})

/** Shields that more knowledge lifts: judged again when they are looked at, and when the author's devices change. */
import test from 'ava'
import type { Shield } from '../../../pwa/e2ee/room-decryption.ts'
import { Doubts } from '../../../pwa/sync/doubts.ts'
import { member, roomId, Synced, text, them, us } from './synced.ts'

/** A message of theirs that was read before anything was known of their devices; `now`: what the engine says of it. */
async function doubted(shield: Shield) {
  const synced = await Synced.open()
  const [first, second] = [text('who is this?'), text('another session')]
  await synced.news([first, second], { state: [member(us), member(them)] })
  const { store, search, notices } = synced
  const timeline = await store.timeline(roomId)
  for (const number of timeline.packNumbers)
    await timeline.replace(number, event =>
      event.eventId === first.event_id ? { ...event, encrypted: true, shield, doubted: 'S1' } : event,
    )
  await search.commit(timeline.writes(), {})
  timeline.written()
  const engine: { now: Shield | null; asked: number } = { now: shield, asked: 0 }
  const judge = async () => {
    engine.asked++
    return engine.now
  }
  const doubts = new Doubts({
    store,
    machine: { run: judge as never },
    search,
    tell: notice => void notices.push(notice),
  })
  synced.doubts = doubts
  const shown = async () => {
    const { items } = await synced.page()
    await doubts.settled()
    return items.find(({ eventId }) => eventId === first.event_id)!.shield
  }
  return { synced, doubts, engine, shown }
}

test('the shield goes when the devices of its author become known, and stays gone', async t => {
  const { synced, doubts, engine, shown } = await doubted('unknown-device')
  t.is(await shown(), 'unknown-device')
  engine.now = 'none'
  synced.notices.length = 0
  doubts.personChanged('@somebody:else.example')
  doubts.personChanged(them)
  await doubts.settled()
  t.deepEqual(synced.notices, [{ kind: 'timeline', roomId }])
  t.is(await shown(), 'none')
  const { asked } = engine
  doubts.personChanged(them)
  await doubts.settled()
  t.is(engine.asked, asked, 'what is good is asked about no more')
  await synced.restart()
  const [number] = (await synced.store.timeline(roomId)).packNumbers
  const { events } = await (await synced.store.timeline(roomId)).pack(number!)
  t.deepEqual(
    events.filter(event => event.shield !== 'none' || event.doubted),
    [],
  )
})

test('known meanwhile: whoever looks has it judged', async t => {
  const { engine, shown } = await doubted('unsigned-device')
  engine.now = 'none'
  await shown()
  t.is(await shown(), 'none')
})

test('it may also get worse, and where the key is gone it stays as it is', async t => {
  const { doubts, engine, shown } = await doubted('unknown-device')
  await shown()
  for (const [now, then] of [
    ['identity-changed', 'identity-changed'],
    [null, 'identity-changed'],
  ] as const) {
    engine.now = now
    doubts.personChanged(them)
    await doubts.settled()
    t.is(await shown(), then)
  }
})

/** Whose devices we know, and when what we know is good enough to encrypt to. */
import test from 'ava'
import { signOwnDevice } from '../../pwa/e2ee/cross-signing.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import { Hub, OurDevice } from './hub.ts'

const [alice, bob] = ['@alice:letro.test', '@bob:letro.test']
const room = '!room:letro.test'
test.before(() => ready)

async function meet() {
  const hub = new Hub()
  const ours = await OurDevice.open(hub, alice, 'ALICE')
  const theirs = await OurDevice.open(hub, bob, 'BOB')
  await hub.settle()
  await ours.bootstrap()
  await theirs.bootstrap()
  await ours.joinRoom(room, [alice, bob])
  return { hub, ours, theirs }
}

/** Another device of Bob's, which the first one has signed. */
async function addTablet(hub: Hub, theirs: OurDevice): Promise<OurDevice> {
  const tablet = await OurDevice.open(hub, bob, 'TABLET')
  await hub.settle()
  await theirs.machine.run((step, context) => signOwnDevice(step, context, 'TABLET'))
  await hub.settle()
  return tablet
}

test('a new device of theirs gets the next message, and not the one before', async t => {
  const { hub, ours, theirs } = await meet()
  const before = await ours.write(room, 'before')
  const tablet = await addTablet(hub, theirs)
  const after = await ours.write(room, 'after')
  t.is(await tablet.text(after), 'after')
  t.is(await tablet.text(before), 'MEGOLM_UNKNOWN_INDEX')
  t.is(await theirs.text(before), 'before')
})

test('a change that is told while the query is under way is asked for again', async t => {
  const { hub, ours } = await meet()
  hub.tellChanged(bob)
  const sync = hub.sync(ours)
  await ours.machine.receiveSync({ deviceLists: { changed: sync.changed } })
  const query = ours.machine.outgoingRequests().find(({ kind }) => kind === 'keys-query')!
  await ours.machine.receiveSync({ deviceLists: { changed: [bob] } })
  await ours.answer(query)
  await ours.machine.receiveSync({})
  t.true(ours.machine.outgoingRequests().some(({ kind }) => kind === 'keys-query'))
})

test('a server that does not answer keeps nobody from writing to the devices that are known', async t => {
  const { hub, ours, theirs } = await meet()
  hub.tellChanged(bob)
  const answer = hub.answer.bind(hub)
  hub.answer = (from, kind, body, eventType) =>
    kind === 'keys-query'
      ? { device_keys: {}, failures: { 'letro.test': {} } }
      : answer(from, kind, body, eventType)
  t.is(await theirs.text(await ours.write(room, 'all the same')), 'all the same')
  hub.answer = answer
  ours.now += 6 * 60 * 1000
  await ours.machine.receiveSync({})
  t.true(ours.machine.outgoingRequests().some(({ kind }) => kind === 'keys-query'))
})

test('whom the server said nothing of is asked about again as soon as it tells of a change', async t => {
  const { hub, ours, theirs } = await meet()
  const answer = hub.answer.bind(hub)
  hub.answer = (from, kind, body, eventType) =>
    from === ours && kind === 'keys-query'
      ? { device_keys: {}, failures: {} }
      : answer(from, kind, body, eventType)
  const tablet = await addTablet(hub, theirs)
  await ours.write(room, 'to the devices that are known')
  hub.answer = answer
  hub.tellChanged(bob)
  await hub.settle()
  t.is(await tablet.text(await ours.write(room, 'to the new one as well')), 'to the new one as well')
})

test('what is written past somebody whose server does not answer opens once it does', async t => {
  const hub = new Hub()
  const ours = await OurDevice.open(hub, alice, 'ALICE')
  const theirs = await OurDevice.open(hub, bob, 'BOB')
  await hub.settle()
  await ours.bootstrap()
  await theirs.bootstrap()
  const answer = hub.answer.bind(hub)
  hub.answer = (from, kind, body, eventType) =>
    from === ours && kind === 'keys-query'
      ? { device_keys: {}, failures: { 'letro.test': {} } }
      : answer(from, kind, body, eventType)
  await ours.joinRoom(room, [alice, bob])
  const past = [await ours.write(room, 'past them'), await ours.write(room, 'and again')]
  t.is(await theirs.text(past[0]!), 'NO_SESSION')
  await ours.reopen()
  hub.answer = answer
  hub.tellChanged(bob)
  await hub.settle()
  t.is(await theirs.text(await ours.write(room, 'to them as well')), 'to them as well')
  t.deepEqual(await Promise.all(past.map(each => theirs.text(each))), ['past them', 'and again'])
})

test('somebody whose device could not be reached for a while gets the key from there on', async t => {
  const { hub, ours, theirs } = await meet()
  const answer = hub.answer.bind(hub)
  hub.answer = (from, kind, body, eventType) =>
    kind === 'keys-claim' ? { one_time_keys: {}, failures: {} } : answer(from, kind, body, eventType)
  const past = await ours.write(room, 'past them')
  hub.answer = answer
  ours.now += 60 * 60 * 1000
  t.is(await theirs.text(await ours.write(room, 'to them')), 'to them')
  t.is(await theirs.text(past), 'past them')
})

test('a device that comes back with other keys is not believed', async t => {
  const { hub, ours, theirs } = await meet()
  const published = hub.devices.get(bob)!.get('BOB')!
  const impostor = await OurDevice.open(new Hub(), bob, 'BOB')
  await impostor.hub.settle()
  published.keys = impostor.hub.devices.get(bob)!.get('BOB')!.keys
  hub.tellChanged(bob)
  const event = await ours.write(room, 'for Bob')
  t.true(ours.refusals.includes('DEVICE_KEYS_CHANGED'))
  t.is(await theirs.text(event), 'for Bob')
})

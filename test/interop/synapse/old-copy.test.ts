/** The rig of `old-copy.ts`: what comes back by itself where our data went back to an old copy, and Synapse remembers more. */
import test, { registerCompletionHandler } from 'ava'
import { type OldCopyRig, openOldCopyRig } from './old-copy.ts'
import { at, until } from './person.ts'

let rig: OldCopyRig

// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

test.before(async () => {
  rig = await openOldCopyRig()
})
test.after.always(() => rig?.close())
test.afterEach.always(t => {
  if (!t.passed) t.log(rig?.world.words)
})

test.serial('encrypted and plain messages go both ways, before and after a copy is taken', async t => {
  const { ourDevice, theirDevice, encryptedRoom, ours, theirs, plainRoom, copies } = rig
  for (const moment of ['before', 'after']) {
    const text = `${moment} the copy`
    t.is(await theirDevice.read(encryptedRoom, await ourDevice.sendText(encryptedRoom, text)), text)
    t.is(await ourDevice.read(encryptedRoom, await theirDevice.sendText(encryptedRoom, text)), text)
    await theirs.sees(plainRoom, await ours.say(plainRoom, text))
    await ours.sees(plainRoom, await theirs.say(plainRoom, text))
    if (moment === 'before') await copies.take('first')
  }
})

test.serial(
  'on the old copy: what was said since comes back from Synapse, ours as well, and both go on',
  async t => {
    const { ours, theirs, plainRoom, copies } = rig
    const forgotten = await ours.say(plainRoom, 'ours, that we forget')
    await theirs.sees(plainRoom, forgotten)
    const topic = await ours.setState(plainRoom, 'm.room.topic', { topic: 'set, and forgotten' })
    await theirs.sees(plainRoom, topic)
    const remembered = await theirs.say(plainRoom, 'theirs, that we forget')
    await ours.sees(plainRoom, remembered)

    await copies.goBack('first')
    t.is((await ours.ask('GET', `${at(plainRoom)}/event/${encodeURIComponent(forgotten)}`)).status, 404)

    // The next that they say stands on what we forgot.
    const next = await theirs.say(plainRoom, 'and now')
    for (const eventId of [next, forgotten, topic, remembered]) await ours.sees(plainRoom, eventId)
    await theirs.sees(plainRoom, await ours.say(plainRoom, 'here I am again'))
    const stateIds = async (who: typeof ours) =>
      (await who.state(plainRoom)).map(event => `${event.type} ${event.state_key} ${event.event_id}`).sort()
    await until('the same state', async () =>
      (await stateIds(ours)).join() === (await stateIds(theirs)).join() ? true : undefined,
    )
    t.deepEqual(await stateIds(ours), await stateIds(theirs))
  },
)

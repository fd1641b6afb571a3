/** A site that comes back from a backup, with a partner that remembers more: what was lost comes back, and nobody parts ways. */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { newKeys } from '../../backup/backup-data.ts'
import { type FederatedServer, pinSite, startFederated } from '../../support/federated.ts'
import { eventually, Person, person } from '../../support/person.ts'
import { uploadKeys } from '../../support/uploaded-keys.ts'

const letro = join(import.meta.dirname, '../../../provisioning/letro.ts')
const password = 'correct horse battery staple'

const setSuspended = (at: FederatedServer, whom: FederatedServer, suspended: boolean) =>
  at.admin('PUT', `/peers/${encodeURIComponent(whom.serverName)}/suspended`, { suspended })

async function stateOf(who: Person, roomId: string): Promise<string[]> {
  const events = await who.ask('GET', `/rooms/${encodeURIComponent(roomId)}/state`)
  return events.map((event: { event_id: string }) => event.event_id).sort()
}

test.serial('what a restored site has lost comes back from its partner, signed by itself', async t => {
  const { identity, recipient } = await newKeys()
  const a = await startFederated('a.test', { 'backup.recipients': recipient })
  const b = await startFederated('b.test')
  t.teardown(() => Promise.all([a.process.remove(), b.process.remove()]).then(() => {}))
  await pinSite(a, b)
  await pinSite(b, a)
  const ann = await person(a, 'ann')
  const bob = await person(b, 'bob')
  const roomId = (await ann.ask('POST', '/createRoom', { preset: 'public_chat' })).room_id
  const room = encodeURIComponent(roomId)
  await bob.join(roomId, a.serverName)
  await uploadKeys(ann)
  const devicesOfAnn = async () => {
    const { device_keys: found } = await bob.ask('POST', '/keys/query', { device_keys: { [ann.userId]: [] } })
    return Object.keys(found[ann.userId] ?? {})
  }
  await eventually(async () => (await devicesOfAnn()).length === 1)
  await ann.say(roomId, 'before the backup')
  await eventually(async () => (await bob.texts(roomId)).includes('before the backup'))

  const folder = join(a.process.folder, 'away')
  mkdirSync(folder)
  const data = join(a.process.folder, 'data')
  const backup = join(folder, 'letro-a.test-20260101T000000Z-000.age')
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [letro, 'backup', ...args])
  await run('create', '--data', data, '--out', backup)

  // What the backup does not know: messages of both, a topic, another person of ours, a right that was given.
  const lost = await ann.say(roomId, 'lost by a')
  await bob.say(roomId, 'lost by a, said by b')
  await ann.setState(roomId, 'm.room.topic', '', { topic: 'after the backup' })
  const later = new Person(a.process.base, await a.process.login('ann', password))
  await uploadKeys(later)
  await eventually(async () => (await devicesOfAnn()).length === 2)
  const cleo = await person(a, 'cleo')
  await cleo.ask('POST', `/join/${room}`, {})
  await cleo.say(roomId, 'cleo came after the backup')
  await eventually(async () => (await bob.texts(roomId)).includes('cleo came after the backup'))

  await a.process.kill()
  renameSync(data, join(folder, 'the disk that died'))
  await writeFile(join(folder, 'key'), identity)
  await run('restore', backup, '--key', join(folder, 'key'), '--data', data, '--site', a.serverName)
  await a.process.start()

  const { peers } = (await a.admin('GET', '/peers')).body
  t.true(peers[0].suspended && peers[0].after_repair)
  const { entries } = (await a.admin('GET', '/audit')).body
  t.true(entries.some(({ action }: { action: string }) => action === 'store.restored'))
  const annAgain = new Person(a.process.base, await a.process.login('ann', password))
  t.false((await annAgain.texts(roomId)).includes('lost by a'))
  // Nobody has looked at the peer yet, and people write: a branch that starts where the backup ended.
  await annAgain.say(roomId, 'before b was resumed')
  await annAgain.setState(roomId, 'm.room.name', '', { name: 'a name of the other branch' })

  await setSuspended(a, b, false)
  const texts = await eventually(async () => {
    const found = await annAgain.texts(roomId)
    return found.includes('cleo came after the backup') && found
  })
  for (const text of ['before the backup', 'lost by a', 'lost by a, said by b', 'before b was resumed']) {
    t.true(texts.includes(text), text)
  }
  // The very event, with its id and our signature of then.
  t.is(
    (await annAgain.ask('GET', `/rooms/${room}/event/${encodeURIComponent(lost)}`)).content.body,
    'lost by a',
  )

  // A device that the backup does not know gets no more keys.
  await eventually(async () => (await devicesOfAnn()).join() === ann.session.deviceId)

  // From here on both say the same, and hear each other.
  await annAgain.say(roomId, 'after b was resumed')
  await eventually(async () => (await bob.texts(roomId)).includes('after b was resumed'))
  t.true((await bob.texts(roomId)).includes('before b was resumed'))
  await bob.say(roomId, 'welcome back')
  await eventually(async () => (await annAgain.texts(roomId)).includes('welcome back'))
  t.deepEqual(await stateOf(annAgain, roomId), await stateOf(bob, roomId))
  const state = async (who: Person, type: string) => who.ask('GET', `/rooms/${room}/state/${type}`)
  for (const who of [annAgain, bob]) {
    t.is((await state(who, 'm.room.topic')).topic, 'after the backup')
    t.is((await state(who, 'm.room.name')).name, 'a name of the other branch')
  }
  rmSync(folder, { recursive: true })
  t.false(readdirSync(data).includes('restoring'))
})

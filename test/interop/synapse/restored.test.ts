// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/**
 * The restore drill with a Synapse that remembers more than the backup: what we had sent and been sent since comes back from
 * it, with ids and signatures as they were; what people wrote in between is a branch that Synapse takes; afterwards both
 * say the same.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import anyTest, { type TestFn } from 'ava'
import { newKeys } from '../../backup/backup-data.ts'
import { at, Person, until } from './person.ts'
import { World } from './world.ts'

const test = anyTest as TestFn
const letro = join(import.meta.dirname, '../../../provisioning/letro.ts')
const backup = (...args: string[]) => promisify(execFile)(process.execPath, [letro, 'backup', ...args])

/** All of the room as this person reads it. */
async function history(who: Person, roomId: string): Promise<Set<string>> {
  const ids = new Set<string>()
  let from: string | undefined
  do {
    const page = await who.api('GET', `${at(roomId)}/messages?dir=b&limit=100${from ? `&from=${from}` : ''}`)
    for (const event of page.chunk) ids.add(event.event_id)
    from = page.end
  } while (from)
  return ids
}

const stateIds = async (who: Person, roomId: string) =>
  (await who.state(roomId)).map(({ event_id }) => event_id).sort()

test('a restored server and a Synapse that remembers more end with the same rooms', async t => {
  const { identity, recipient } = await newKeys()
  const world = await World.open({ 'backup.recipients': recipient })
  t.teardown(async () => {
    if (!t.passed) t.log(world.words)
    await world.close()
  })
  const before = await world.atLetro('amal')
  const theirs = await world.atSynapse('jonas')
  const rooms: string[] = []
  for (const [maker, guest, version] of [
    [before, theirs, '12'],
    [theirs, before, '12'],
    [before, theirs, '11'],
    [theirs, before, '11'],
  ] as const) {
    const roomId = await maker.createRoom({
      preset: 'private_chat',
      room_version: version,
      invite: [guest.userId],
      power_level_content_override: { state_default: 0 },
    })
    await guest.isInvited(roomId)
    await guest.join(roomId)
    await guest.sees(roomId, await maker.say(roomId, 'before the backup'))
    await maker.sees(roomId, await guest.say(roomId, 'before the backup, too'))
    rooms.push(roomId)
  }

  const { folder } = world.letro.process
  const [data, away] = [join(folder, 'data'), join(folder, 'away')]
  mkdirSync(away)
  const file = join(away, 'letro-letro.test-20260101T000000Z-000.age')
  await backup('create', '--data', data, '--out', file)

  const lost = new Map<string, string[]>()
  for (const [i, roomId] of rooms.entries()) {
    const ids: string[] = []
    // More than Synapse tells at once, in the first of them.
    for (let n = 0; n < (i === 0 ? 30 : 6); n++) {
      ids.push(await before.say(roomId, `ours, lost ${n}`), await theirs.say(roomId, `theirs, lost ${n}`))
    }
    ids.push(await before.setState(roomId, 'm.room.topic', { topic: 'after the backup' }))
    await theirs.sees(roomId, ids.at(-1)!)
    await before.sees(roomId, ids.at(-2)!)
    lost.set(roomId, ids)
  }

  await world.letro.process.kill()
  renameSync(data, join(away, 'the disk that died'))
  await writeFile(join(away, 'key'), identity)
  await backup('restore', file, '--key', join(away, 'key'), '--data', data)
  await world.letro.process.start()
  const password = 'correct horse battery staple'
  const ours = new Person(world.letro.process.base, await world.letro.process.login('amal', password))

  const branch = new Map<string, string>()
  for (const roomId of rooms) branch.set(roomId, await ours.say(roomId, 'before Synapse was resumed'))
  await world.letro.admin('PUT', `/peers/${encodeURIComponent(world.synapse.serverName)}/suspended`, {
    suspended: false,
  })

  for (const roomId of rooms) {
    const ids = lost.get(roomId)!
    await ours.sees(roomId, ids.at(-1)!)
    // The next event of ours joins both branches, and so Synapse learns of the one that it has not seen.
    await theirs.sees(roomId, await ours.say(roomId, 'after Synapse was resumed'))
    await theirs.sees(roomId, branch.get(roomId)!)
    await ours.sees(roomId, await theirs.say(roomId, 'welcome back'))
    for (const who of [ours, theirs]) {
      await until(`${who.userId} has all of ${roomId}`, async () => {
        const has = await history(who, roomId)
        return [...ids, branch.get(roomId)!].every(id => has.has(id)) || undefined
      })
    }
    t.deepEqual(await stateIds(ours, roomId), await stateIds(theirs, roomId))
    const { topic } = await ours.api('GET', `${at(roomId)}/state/m.room.topic`)
    t.is(topic, 'after the backup')
  }
})

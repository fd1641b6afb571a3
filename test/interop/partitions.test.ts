/**
 * Three appliances with lines between them that are slow, cut and healed at random while people write, change the room,
 * throw each other out and come back: when all lines are whole again, all three hold the same messages and the same state.
 *
 * What happens follows from a seed, which is printed: LETRO_SEED=… plays the same again.
 */
import { randomInt } from 'node:crypto'
import test from 'ava'
import { type FederatedServer, pinSite, startFederated } from '../support/federated.ts'
import { Network } from '../support/network.ts'
import { eventually, type Person, person } from '../support/person.ts'
import { sleep } from '../support/server-process.ts'

const names = ['a.test', 'b.test', 'c.test'] as const
const pairs = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const
const steps = 40
const convergeMs = 90_000

const network = new Network()
let servers: FederatedServer[] = []
let people: Person[] = []

test.before(async () => {
  servers = await Promise.all(names.map(name => startFederated(name, {}, network.place())))
  for (const [from, server] of servers.entries()) {
    for (const [to, other] of servers.entries()) {
      if (from === to) continue
      const target = { address: other.address, port: other.federationPort }
      await pinSite(server, other, await network.line(names[from]!, names[to]!, target))
    }
  }
  people = await Promise.all(servers.map((server, i) => person(server, ['ann', 'bob', 'cleo'][i]!)))
})

test.after.always(async () => {
  await Promise.all(servers.map(server => server.process.remove()))
  await network.close()
})

for (const version of ['12', '11']) {
  test.serial(`three servers agree after cuts and delays, in a room of version ${version}`, async t => {
    const seed = Number(process.env['LETRO_SEED'] ?? randomInt(2 ** 31))
    t.log(`LETRO_SEED=${seed}, ${network.hasNamespaces ? 'network namespaces' : 'loopback'}`)
    await converge(t, version, chanceFrom(seed))
  })
}

type Chance = (below: number) => number

interface Past {
  /** Acknowledged messages, and who wrote them. */
  readonly said: Map<string, string>
  readonly thrownOut: Set<string>
}

async function converge(
  t: { deepEqual(a: unknown, b: unknown, message?: string): void },
  version: string,
  chance: Chance,
) {
  const [ann, bob, cleo] = people as [Person, Person, Person]
  const created = {
    room_version: version,
    preset: 'public_chat',
    power_level_content_override: { state_default: 0, kick: 0, ban: 50 },
  }
  const room: string = (await ann.ask('POST', '/createRoom', created)).room_id
  for (const one of [bob, cleo]) await one.join(room, servers[0]!.serverName)
  const past: Past = { said: new Map(), thrownOut: new Set() }

  for (let step = 0; step < steps; step++) {
    await act(chance, room, step, past)
    await sleep(chance(60))
  }

  for (const [one, other] of pairs) {
    network.heal(names[one], names[other])
    network.delay(names[one], names[other], 0)
  }
  // Everybody is in again, and each has written to all others, on what they then saw: no branch stays apart.
  await eventually(async () => {
    for (const [i, one] of people.entries())
      await one.call('POST', `/join/${encodeURIComponent(room)}?via=${servers[(i + 1) % 3]!.serverName}`, {})
    const agreed = await agree(room)
    const ids = await Promise.all(
      people.map((one, i) => one.call('PUT', ...one.saying(room, `the end, ${i}`))),
    )
    if (ids.some(({ status }) => status !== 200)) return false
    await sleep(500)
    return agreed && agree(room)
  }, convergeMs)

  const states = await Promise.all(people.map(one => one.state(room)))
  t.deepEqual(states[1], states[0])
  t.deepEqual(states[2], states[0])
  // What somebody wrote who was being thrown out elsewhere meanwhile is soft-failed there; all else is everywhere.
  const counted = [...past.said].flatMap(([id, userId]) => (past.thrownOut.has(userId) ? [] : [id]))
  const missing = async () => {
    const held = await Promise.all(people.map(one => one.eventIds(room)))
    return held.flatMap((ids, i) => counted.filter(id => !ids.has(id)).map(id => `${names[i]}: ${id}`))
  }
  await eventually(async () => (await missing()).length === 0, convergeMs).catch(() => {})
  t.deepEqual(await missing(), [], 'messages that are not everywhere')
}

/** Is the state the same on all three, with everybody in the room? */
async function agree(room: string): Promise<boolean> {
  const path = `/rooms/${encodeURIComponent(room)}/joined_members`
  const members = await Promise.all(people.map(one => one.call('GET', path)))
  const isFull = members.every(
    ({ status, body }) => status === 200 && Object.keys(body.joined).length === people.length,
  )
  if (!isFull) return false
  const [first, ...others] = await Promise.all(people.map(one => one.state(room)))
  return others.every(state => JSON.stringify(state) === JSON.stringify(first))
}

/** One thing that a person or the network does. What the rules refuse at that moment is refused: that is fine. */
async function act(chance: Chance, room: string, step: number, past: Past): Promise<void> {
  const who = people[chance(3)]!
  const other = people[chance(3)]!
  const [one, two] = pairs[chance(3)]!
  const encoded = encodeURIComponent(room)
  switch (chance(10)) {
    case 0:
      return network.cut(names[one], names[two])
    case 1:
    case 2:
      return network.heal(names[one], names[two])
    case 3:
      return network.delay(names[one], names[two], chance(4) * 60)
    case 4:
      await who.setState(room, 'm.room.topic', '', { topic: `${step}` })
      return
    case 5:
      await who.setState(room, 'org.letro.test', String(chance(3)), { step })
      return
    case 6:
      if (other === who) return
      if ((await who.call('POST', `/rooms/${encoded}/kick`, { user_id: other.userId })).status === 200) {
        past.thrownOut.add(other.userId)
      }
      return
    case 7:
      // From whoever is there to answer; cut off, this fails after a while, so it is not waited for.
      void who.call('POST', `/join/${encoded}?via=${servers[chance(3)]!.serverName}`, {}).catch(() => {})
      return
    default: {
      const { status, body } = await who.call('PUT', ...who.saying(room, `${step}`))
      if (status === 200) past.said.set(body.event_id, who.userId)
    }
  }
}

/** mulberry32: the same numbers from the same seed. */
function chanceFrom(seed: number): Chance {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

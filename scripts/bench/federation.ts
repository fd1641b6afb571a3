/**
 * Federation: our server against little homeservers that sign everything beforehand (`test/support/federation-peer.ts`),
 * and two of ours against each other. All by TLS on loopback, with real pins.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestAuthority } from '../../test/support/certificates.ts'
import { type FederatedServer, pinHomeserver, pinSite, startFederated } from '../../test/support/federated.ts'
import { FederationPeer } from '../../test/support/federation-peer.ts'
import { PeerRoom } from '../../test/support/peer-room.ts'
import { type Person, person } from '../../test/support/person.ts'
import type { Bench, Measure } from './bench.ts'
import { startFlags } from './server-process.ts'
import { percentile } from './statistics.ts'

const perTransaction = 50
const peerCount = 4
const stateEvents = 10_000

const authority = new TestAuthority()

/** As people run it. */
async function ours(bench: Bench, host: string): Promise<FederatedServer> {
  const withFlags = `node="$0"; exec "$node" ${startFlags().join(' ')} "$@"`
  const place = { address: '127.0.0.1', command: ['sh', '-c', withFlags] }
  const server = await startFederated(host, {}, place)
  bench.atEnd(() => server.process.remove())
  return server
}

async function pinnedPeer(bench: Bench, server: FederatedServer, host: string): Promise<FederationPeer> {
  const peer = await FederationPeer.start(host, authority)
  bench.atEnd(() => peer.close())
  await pinHomeserver(server, peer, authority)
  return peer
}

export async function federationIn(bench: Bench): Promise<Measure> {
  const { server, members } = await bench.once('federation in', async () => {
    const server = await ours(bench, 'bench.test')
    const ann = await person(server, 'ann')
    const peers: FederationPeer[] = []
    for (let i = 0; i < peerCount; i++) peers.push(await pinnedPeer(bench, server, `peer${i}.test`))
    const members = []
    for (const peer of peers) {
      const { room_id: roomId } = await ann.ask('POST', '/createRoom', { preset: 'public_chat' })
      const zoe = `@zoe:${peer.serverName}`
      members.push({ peer, zoe, room: await PeerRoom.join(peer, server, roomId, zoe) })
    }
    return { server, members }
  })
  // The first second is the compiler's.
  await transactions(server, members, 1_000)
  const count = bench.seconds * 4_000
  const before = cpuSeconds(server)
  const seconds = await transactions(server, members, count)
  const cpuMicroseconds = ((cpuSeconds(server) - before) / count) * 1e6
  return {
    value: count / seconds,
    facts: { 'server cpu µs/event': cpuMicroseconds, events: count, 'MB peak': peakMegabytes(server) },
  }
}

interface Member {
  readonly peer: FederationPeer
  readonly room: PeerRoom
  readonly zoe: string
}

let madeTransactions = 0

/** So many events by all members together, made before the clock runs; how many seconds their taking took. */
async function transactions(
  server: FederatedServer,
  members: readonly Member[],
  count: number,
): Promise<number> {
  const made = members.map(({ peer, room, zoe }) =>
    Array.from({ length: count / perTransaction / members.length }, () => {
      const pdus = Array.from(
        { length: perTransaction },
        (_, i) => room.message(zoe, `${i} ${'x'.repeat(200)}`).pdu,
      )
      const path = `/_matrix/federation/v1/send/bench${madeTransactions++}`
      const content = { origin: peer.serverName, origin_server_ts: Date.now(), pdus, edus: [] }
      return { path, ...peer.signed(server, 'PUT', path, content) }
    }),
  )
  const begun = performance.now()
  await Promise.all(
    made.map(async (list, i) => {
      for (const { path, authorization, body } of list) {
        const answer = await members[i]!.peer.send(server, 'PUT', path, { authorization }, body)
        const results = Object.values((answer.body.pdus ?? {}) as Record<string, { error?: string }>)
        if (results.length !== perTransaction || results.some(({ error }) => error !== undefined)) {
          throw new Error(`a transaction was answered ${answer.status} ${JSON.stringify(answer.body)}`)
        }
      }
    }),
  )
  return (performance.now() - begun) / 1000
}

export async function federationOut(bench: Bench): Promise<Measure> {
  const { ann, bob, roomId } = await bench.once('federation out', async () => {
    const [a, b] = await Promise.all([ours(bench, 'a.test'), ours(bench, 'b.test')])
    await pinSite(a, b)
    await pinSite(b, a)
    const ann = await person(a, 'ann')
    const bob = await person(b, 'bob')
    const { room_id: roomId } = await ann.ask('POST', '/createRoom', { preset: 'public_chat' })
    await bob.join(roomId, a.serverName)
    await sendAndSync(ann, bob, roomId, 200)
    return { ann, bob, roomId: roomId as string }
  })
  const took = await sendAndSync(ann, bob, roomId, bench.seconds * 100)
  return {
    value: percentile(took, 0.99),
    facts: { 'p50 ms': percentile(took, 0.5), 'max ms': Math.max(...took), events: took.length },
  }
}

/** 100 a second, whether or not the last one has arrived. Milliseconds from each send to the sync that brings it. */
async function sendAndSync(ann: Person, bob: Person, roomId: string, count: number): Promise<number[]> {
  let since: string = (await bob.sync()).next_batch
  const sentMs = new Map<string, number>()
  const sends: Promise<unknown>[] = []
  const arrivedMs = new Map<string, number>()
  const sending = (async () => {
    const begun = performance.now()
    for (let i = 0; i < count; i++) {
      await sleep(Math.max(0, begun + i * 10 - performance.now()))
      const now = performance.now()
      sends.push(ann.say(roomId, `${i}`).then(id => sentMs.set(id, now)))
    }
  })()
  while (arrivedMs.size < count) {
    const filter = '{"room":{"timeline":{"limit":100}}}'
    const { next_batch: next, rooms } = await bob.ask(
      'GET',
      `/sync?timeout=10000&since=${since}&filter=${encodeURIComponent(filter)}`,
    )
    since = next
    const now = performance.now()
    for (const { type, event_id: id } of rooms?.join?.[roomId]?.timeline.events ?? []) {
      if (type === 'm.room.message') arrivedMs.set(id, now)
    }
  }
  await sending
  await Promise.all(sends)
  return [...arrivedMs].map(([id, now]) => now - sentMs.get(id)!)
}

export async function federationJoin(bench: Bench): Promise<Measure> {
  const { server, ann, peer } = await bench.once('federation join', async () => {
    const server = await ours(bench, 'bench.test')
    const ann = await person(server, 'ann')
    return { server, ann, peer: await pinnedPeer(bench, server, 'large.test') }
  })
  const zoe = `@zoe:${peer.serverName}`
  const room = PeerRoom.create(peer, zoe)
  for (let i = 0; i < stateEvents; i++) {
    room.add({ type: 'org.letro.bench', sender: zoe, stateKey: `${i}`, content: { i } })
  }
  room.serve()
  const begun = performance.now()
  await ann.join(room.roomId, peer.serverName)
  return { value: (performance.now() - begun) / 1000, facts: { 'MB peak': peakMegabytes(server) } }
}

export async function federationBackfill(bench: Bench): Promise<Measure> {
  const server = await ours(bench, 'bench.test')
  const ann = await person(server, 'ann')
  const peer = await pinnedPeer(bench, server, 'old.test')
  const zoe = `@zoe:${peer.serverName}`
  const room = PeerRoom.create(peer, zoe)
  const count = bench.events * 100
  for (let i = 0; i < count; i++) room.message(zoe, `${i} ${'x'.repeat(200)}`)
  // That took long: connections that the server closed meanwhile are heard of before one is used again.
  await sleep(100)
  room.serve()
  await ann.join(room.roomId, peer.serverName)
  const begun = performance.now()
  const { size } = await ann.eventIds(room.roomId)
  const seconds = (performance.now() - begun) / 1000
  if (size < count) throw new Error(`${size} of ${count} events came`)
  return { value: peakMegabytes(server), facts: { seconds, 'events/s': count / seconds } }
}

/** What the process has ever held at once; not a number where the system does not say. */
function peakMegabytes(server: FederatedServer): number {
  try {
    const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

/** Of all its threads; the kernel counts in hundredths. */
function cpuSeconds(server: FederatedServer): number {
  try {
    const fields = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}

/** Cards over the network, with real pins and a wire that can be cut. */
import test from 'ava'
import { CardExchange } from '../../server/federation/card-exchange.ts'
import { openPeers, type PeerBook } from '../../server/peers/pins.ts'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type KeyId, signJson } from '../../server/protocol/signing.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import { mustRead, seedOf, siteOf } from '../peers/site.ts'
import { signingKey, verify } from '../support/primitives.ts'

const us = siteOf('us.example')
const court = siteOf('court.example')
const name = court.facts.serverName
const synapse = 'synapse.example' as ServerName
const first = court.card(1_700_000_000_000)
const second = court.card(1_700_000_100_000, { residency: 'FR' }, first)
const ourFirst = mustRead(us.card(1_700_000_000_000))
const ourSecond = mustRead(us.card(1_700_000_100_000, { residency: 'FR' }, ourFirst.json))
const key = (id: string) => signingKey(seedOf(id))
const keyText = (id: string) => `ed25519:${id}=${encodeBase64(key(id).publicKey)}`

interface World {
  readonly peers: PeerBook
  readonly cards: CardExchange
  /** What went out. */
  readonly asked: string[]
  readonly reports: string[]
  now: number
  answer: (method: string, body: JsonObject | undefined) => JsonObject
  /** Lets those who pause go on. */
  goOn(): Promise<void>
}

async function open(): Promise<World> {
  const peers = await openPeers({
    store: await openMemoryStore(),
    serverName: us.facts.serverName,
    clock: () => 1_700_000_000_000,
    verify,
    audit: async () => {},
    alarm: () => {},
    report: () => {},
  })
  const waiting: (() => void)[] = []
  const world: Omit<World, 'cards'> = {
    peers,
    asked: [],
    reports: [],
    now: 1_700_000_000_000,
    answer: () => ({}),
    goOn: async () => {
      for (const resolve of waiting.splice(0)) resolve()
      await settle()
    },
  }
  const cards = new CardExchange({
    peers,
    verify,
    clock: () => world.now,
    report: message => void world.reports.push(message),
    pause: (_ms, signal) =>
      new Promise<void>(resolve => {
        waiting.push(resolve)
        signal.addEventListener('abort', () => resolve())
      }),
    client: {
      json: async (
        server: ServerName,
        { method, body, toAnybody }: { method: string; body?: JsonObject; toAnybody?: boolean },
      ) => {
        const to = toAnybody ? ' to anybody' : ''
        world.asked.push(`${method} ${server}${body ? ` ${body['serial']}` : ''}${to}`)
        return world.answer(method, body)
      },
    } as never,
  })
  return Object.assign(world, { cards })
}

const settle = () => new Promise(resolve => setTimeout(resolve, 5))
const cut = () => {
  throw new Error('unreachable')
}

test('a site’s newer card is asked for and taken; an older one and a forged one change nothing', async t => {
  const world = await open()
  const { peers, cards } = world
  await peers.pinSite('local', first)
  world.answer = () => second
  await cards.learn(name)
  t.is(peers.pin(name)?.card?.serial, 1_700_000_100_000)
  for (const bad of [first, { ...second, residency: 'US' }, {}]) {
    world.answer = () => bad
    await cards.learn(name)
    t.deepEqual(peers.pin(name)?.card?.json, second)
  }
  world.answer = cut
  await cards.learn(name)
  t.is(world.reports.length, 4)
})

test('a homeserver’s key list counts if a pinned key signed it', async t => {
  const world = await open()
  const { peers, cards } = world
  const address = { host: '127.0.0.1', port: 8449 }
  await peers.pinHomeserver('local', synapse, {
    key: keyText('a'),
    address,
    spkiSha256: [encodeBase64(seedOf('t'))],
  })
  const list = (signer: string, server: string = synapse) =>
    signJson(
      {
        server_name: server,
        valid_until_ts: 1_800_000_000_000,
        verify_keys: {
          'ed25519:b': { key: encodeBase64(key('b').publicKey) },
          'ed25519:x': { key: 'short' },
        },
        old_verify_keys: {
          'ed25519:o': { key: encodeBase64(key('o').publicKey), expired_ts: 7 },
          'ed25519:p': { key: encodeBase64(key('p').publicKey) },
        },
      },
      server,
      `ed25519:${signer}` as KeyId,
      key(signer).sign,
    )
  const ids = () =>
    [...peers.get(synapse)!.signingKeys].map(([id, { expiredTs }]) => `${id} ${expiredTs ?? 'now'}`)
  for (const wrong of [list('b'), list('a', 'other.example'), { ...list('a'), valid_until_ts: 1 }]) {
    world.answer = () => wrong
    await cards.learn(synapse)
    t.deepEqual(ids(), ['ed25519:a now'])
  }
  world.answer = () => list('a')
  await cards.learn(synapse)
  t.deepEqual(ids(), ['ed25519:a now', 'ed25519:o 7', 'ed25519:b now'])
})

test('our new card is brought to sites until they have it, and to nobody else', async t => {
  const world = await open()
  const { peers, cards } = world
  await peers.pinSite('local', first)
  await peers.pinHomeserver('local', synapse, {
    key: keyText('a'),
    address: { host: '127.0.0.1', port: 8449 },
    spkiSha256: [encodeBase64(seedOf('t'))],
  })
  world.answer = cut
  const brought = cards.bring(ourFirst)
  await settle()
  for (let i = 0; i < 6; i++) await world.goOn()
  t.is(world.asked.length, 7)
  world.answer = () => ({})
  await world.goOn()
  await brought
  t.is(world.asked.length, 8)
  t.true(world.asked.every(line => line === 'PUT court.example 1700000000000'))
})

test('a newer card takes the place of the one that is under way; a suspended peer is brought none until it is resumed', async t => {
  const world = await open()
  const { peers, cards } = world
  await peers.pinSite('local', first)
  peers.onChange(server => void cards.bringTo(server))
  world.answer = cut
  void cards.bring(ourFirst)
  await settle()
  void cards.bring(ourSecond)
  await settle()
  await world.goOn()
  t.deepEqual(world.asked, [
    'PUT court.example 1700000000000',
    'PUT court.example 1700000100000',
    'PUT court.example 1700000100000',
  ])
  await peers.suspend('local', name)
  await world.goOn()
  await world.goOn()
  t.is(world.asked.length, 3)
  world.answer = () => ({})
  await peers.resume('local', name)
  await settle()
  t.is(world.asked.length, 4)
  cards.close()
})

test('a site with another certificate is asked for its card, whoever answers, once a minute', async t => {
  const world = await open()
  const { peers, cards } = world
  await peers.pinSite('local', first)
  // An impostor has nothing that the root key signed, or something old.
  world.answer = () => ({ ...second, residency: 'US' })
  await cards.renew(name)
  t.deepEqual(peers.pin(name)?.card?.json, first)
  world.answer = () => second
  await cards.renew(name)
  t.is(world.asked.length, 1)
  world.now += 60_000
  await cards.renew(name)
  t.deepEqual(peers.pin(name)?.card?.json, second)
  t.deepEqual(world.asked, [`GET ${name} to anybody`, `GET ${name} to anybody`])
  // A homeserver has no card: its certificate is its administrator's to change here.
  await peers.pinHomeserver('local', synapse, {
    key: keyText('a'),
    address: { host: '127.0.0.1', port: 8449 },
    spkiSha256: [encodeBase64(seedOf('t'))],
  })
  await cards.renew(synapse)
  t.is(world.asked.length, 2)
})

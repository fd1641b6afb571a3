/** The book of pins over the memory store: who is a peer, who changes that, and what a failed write leaves. */
import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { openAudit } from '../../server/accounts/audit.ts'
import type { PeerError, PeerRefusal } from '../../server/peers/peer-error.ts'
import { openPeers, type PeerBook } from '../../server/peers/pins.ts'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { peersSettingTable, peerTable } from '../../server/store/catalogue.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import type { Store } from '../../server/store/store.ts'
import { FailingEngine } from '../rooms/failing-engine.ts'
import { signingKey, verify } from '../support/primitives.ts'
import { authority, leaf } from './certificates.ts'
import { mustRead, seedOf, siteOf } from './site.ts'

const us = 'us.example' as ServerName
const clinicName = 'clinic.example' as ServerName
const synapse = 'synapse.example' as ServerName
const clinic = siteOf(clinicName)
const first = clinic.card(1_700_000_000_000)
const secondKey = { id: 'ed25519:a_2' as KeyId, publicKey: signingKey(seedOf('clinic 2')).publicKey }
const rotated = {
  eventSigning: [{ ...clinic.facts.eventSigning[0]!, expiredTs: 1_700_000_050_000 }, secondKey],
}
const second = clinic.card(1_700_000_050_000, rotated, first)
const keyText = (id: string) => `ed25519:${id}=${encodeBase64(signingKey(seedOf(id)).publicKey)}`
const spki = encodeBase64(seedOf('tls of synapse'))
const terms = { key: keyText('a'), address: { host: '127.0.0.1', port: 8449 }, spkiSha256: [spki] }

interface World {
  readonly book: PeerBook
  readonly store: Store
  readonly reports: string[]
  readonly alarms: string[]
  readonly changed: string[]
  now: number
  acts(): Promise<string[]>
  /** Opened again over the same rows. */
  again(): Promise<PeerBook>
}

async function open(store?: Store): Promise<World> {
  const rows = store ?? (await openMemoryStore())
  const reports: string[] = []
  const alarms: string[] = []
  const changed: string[] = []
  const audit = openAudit(rows, () => 1)
  const world = { now: 1_700_000_000_000 }
  const openBook = () =>
    openPeers({
      store: rows,
      serverName: us,
      residency: 'DE',
      clock: () => world.now,
      verify,
      audit: (tx, act) => audit.record(tx, act),
      alarm: (action, server) => void alarms.push(`${action} ${server}`),
      report: message => void reports.push(message),
    })
  const book = await openBook()
  book.onChange(name => void changed.push(name))
  return Object.assign(world, {
    book,
    store: rows,
    reports,
    alarms,
    changed,
    acts: async () => (await audit.list({ limit: 100 })).map(({ actor, action }) => `${actor} ${action}`),
    again: openBook,
  })
}

function refused(t: ExecutionContext, reason: PeerRefusal, doing: Promise<unknown>): Promise<void> {
  return doing.then(
    () => t.fail(`${reason} was expected`),
    (error: PeerError) => void t.is(error.reason, reason, error.message),
  )
}

/** What a peer is now, in a form that can be compared. */
function state(book: PeerBook, name: ServerName = clinicName): JsonObject | undefined {
  const peer = book.get(name)
  return (
    peer && {
      suspended: peer.suspended,
      direction: peer.direction,
      at: `${peer.host}:${peer.port}`,
      keys: [...peer.signingKeys].map(([id, { expiredTs }]) => `${id} ${expiredTs ?? 'now'}`),
      serial: book.pin(name)?.card?.serial ?? 0,
    }
  )
}

test('a site that was pinned by its card is a peer, here and after a restart', async t => {
  const world = await open()
  const { book } = world
  t.false(book.isKnown(clinicName))
  t.false(book.maySendTo(clinicName))
  await book.pinSite('@ann:us.example', first, { note: 'the clinic' })
  for (const one of [book, await world.again()]) {
    t.deepEqual(state(one), {
      suspended: false,
      direction: 'both',
      at: 'clinic.example:8448',
      keys: ['ed25519:a_1 now'],
      serial: 1_700_000_000_000,
    })
    t.true(one.isKnown(clinicName) && one.maySendTo(clinicName) && one.mayReceiveFrom(clinicName))
    t.is(one.residencyOf(clinicName), 'DE')
    t.like(one.pin(clinicName)?.row, { note: 'the clinic', pinnedBy: '@ann:us.example', pinnedTs: world.now })
  }
  t.deepEqual(await world.acts(), ['@ann:us.example peer.pin'])
  t.deepEqual(world.changed, [clinicName])
})

test('we are known to ourselves, and no peer', async t => {
  const { book } = await open()
  t.true(book.isKnown(us))
  t.is(book.residencyOf(us), 'DE')
  t.false(book.maySendTo(us) || book.mayReceiveFrom(us))
  await refused(t, 'CARD_OF_OURSELVES', book.pinSite('local', siteOf(us).card(1_700_000_000_000)))
  await refused(t, 'CARD_OF_OURSELVES', book.pinHomeserver('local', us, terms))
})

test('a newer card of the same root takes the place of the older one, with no person in between', async t => {
  const world = await open()
  const { book } = world
  await book.pinSite('local', first)
  t.is(await book.offerCard(clinicName, second), 'replaced')
  t.deepEqual(state(book)?.['keys'], ['ed25519:a_1 1700000050000', 'ed25519:a_2 now'])
  t.is(await book.offerCard(clinicName, second), 'same')
  t.deepEqual(await world.acts(), ['local peer.pin', 'system peer.card'])
  t.deepEqual(state(await world.again()), state(book))
})

test('a forged, older or truncated card, one of another root or another server changes nothing', async t => {
  const world = await open()
  const { book } = world
  await book.pinSite('local', second)
  const before = state(book)
  const third = clinic.card(1_700_000_090_000, { residency: 'FR' }, second)
  const truncated = { ...third }
  delete (truncated as Record<string, unknown>)['signature']
  await refused(t, 'CARD_OLDER', book.offerCard(clinicName, first))
  await refused(t, 'CARD_FORGED', book.offerCard(clinicName, { ...third, residency: 'US' }))
  await refused(t, 'CARD_FORGED', book.offerCard(clinicName, truncated))
  await refused(t, 'CARD_MALFORMED', book.offerCard(clinicName, 'cut'))
  const thief = siteOf(clinicName, 'a root of somebody else').card(1_800_000_000_000)
  await refused(t, 'CARD_OTHER_ROOT', book.offerCard(clinicName, thief))
  await refused(t, 'CARD_OTHER_ROOT', book.pinSite('local', thief))
  const renamed = siteOf('other.example', `root of ${clinicName}`).card(1_800_000_000_000)
  await refused(t, 'CARD_OTHER_SERVER', book.offerCard(clinicName, renamed))
  await refused(t, 'CARD_OTHER_SERVER', book.pinSite('local', renamed))
  await refused(t, 'NOT_PINNED', book.offerCard(synapse, third))
  const otherKey = [{ ...rotated.eventSigning[0]!, publicKey: secondKey.publicKey }, secondKey]
  const reused = clinic.card(
    1_700_000_090_000,
    { eventSigning: otherKey.map((key, i) => ({ ...key, id: `ed25519:a_${i + 1}` as KeyId })) },
    second,
  )
  await refused(t, 'CARD_MALFORMED', book.offerCard(clinicName, reused))
  t.deepEqual(state(book), before)
  t.deepEqual(state(await world.again()), before)
  t.deepEqual(await world.acts(), ['local peer.pin'])
})

test('a restored older card is refused even after the pin was removed', async t => {
  const { book } = await open()
  await book.pinSite('local', second)
  await book.remove('local', clinicName)
  await refused(t, 'CARD_OLDER', book.pinSite('local', first))
  t.false(book.isKnown(clinicName))
  await book.pinSite('local', second)
  t.true(book.maySendTo(clinicName))
})

test('two cards with one serial: refused, reported, in the audit once, and settled by the next card', async t => {
  const world = await open()
  const { book } = world
  await book.pinSite('local', first)
  const twin = clinic.card(1_700_000_000_000, { address: { host: 'evil.example', port: 8448 } })
  for (let i = 0; i < 3; i++) await refused(t, 'CARD_CONFLICT', book.offerCard(clinicName, twin))
  t.is(state(book)?.['at'], 'clinic.example:8448')
  t.is(world.reports.length, 1)
  t.deepEqual(world.alarms, ['peer.card-conflict clinic.example'])
  t.deepEqual(await world.acts(), ['local peer.pin', 'system peer.card-conflict'])
  t.like(book.pin(clinicName)?.row, { conflict: { serial: mustRead(first).serial } })
  await book.offerCard(clinicName, second)
  t.is(book.pin(clinicName)?.row.conflict, undefined)
})

test('suspended: nothing goes either way from the moment it is asked for, but its old events are still known', async t => {
  const { book } = await open()
  await book.pinSite('local', first)
  const suspending = book.suspend('local', clinicName)
  t.false(book.maySendTo(clinicName) || book.mayReceiveFrom(clinicName))
  t.true(book.get(clinicName)?.suspended)
  t.true([...book.all()][0]?.suspended)
  await suspending
  t.false(book.maySendTo(clinicName) || book.mayReceiveFrom(clinicName))
  t.true(book.isKnown(clinicName))
  await book.resume('local', clinicName)
  t.true(book.maySendTo(clinicName) && book.mayReceiveFrom(clinicName))
})

test('removed: a stranger from then on, sent nothing while it is being removed', async t => {
  const { book } = await open()
  await book.pinSite('local', first)
  const removing = book.remove('local', clinicName)
  t.false(book.maySendTo(clinicName))
  await removing
  t.false(book.isKnown(clinicName))
  t.is(book.get(clinicName), undefined)
  await refused(t, 'NOT_PINNED', book.suspend('local', clinicName))
  await refused(t, 'NOT_PINNED', book.remove('local', clinicName))
})

test('a suspension that is followed by other changes at once is never lifted in between', async t => {
  const { book } = await open()
  await book.pinSite('local', first)
  const noted = book.change('local', clinicName, { note: 'x' })
  const suspended = book.suspend('local', clinicName)
  const carded = book.offerCard(clinicName, second)
  await noted
  t.false(book.maySendTo(clinicName))
  await Promise.all([suspended, carded])
  t.false(book.maySendTo(clinicName))
  t.is(state(book)?.['serial'], mustRead(second).serial)
})

test('directions: verify-only is known and nothing more; inbound and outbound are one way each', async t => {
  const { book } = await open()
  await book.pinSite('local', first, { direction: 'verify-only' })
  t.true(book.isKnown(clinicName))
  t.false(book.maySendTo(clinicName) || book.mayReceiveFrom(clinicName))
  await book.change('local', clinicName, { direction: 'inbound' })
  t.deepEqual([book.mayReceiveFrom(clinicName), book.maySendTo(clinicName)], [true, false])
  await book.change('local', clinicName, { direction: 'outbound' })
  t.deepEqual([book.mayReceiveFrom(clinicName), book.maySendTo(clinicName)], [false, true])
})

test('a homeserver is pinned by its signing key; a person rotates it, and the old key ends there', async t => {
  const world = await open()
  const { book } = world
  await book.pinHomeserver('local', synapse, terms)
  t.like(state(book, synapse), { at: '127.0.0.1:8449', keys: ['ed25519:a now'] })
  t.deepEqual(book.get(synapse)?.tls, { spkiSha256: [spki] })
  await refused(t, 'PIN_EXISTS', book.rotate('local', synapse, keyText('a')))
  await refused(t, 'PIN_EXISTS', book.pinHomeserver('local', synapse, { ...terms, key: keyText('b') }))
  await refused(t, 'PIN_OF_OTHER_KIND', book.offerCard(synapse, siteOf(synapse).card(1_700_000_000_000)))
  await refused(t, 'PIN_OF_OTHER_KIND', book.pinSite('local', siteOf(synapse).card(1_700_000_000_000)))
  world.now += 5_000
  await book.rotate('local', synapse, keyText('b'))
  t.deepEqual(state(book, synapse)?.['keys'], ['ed25519:a 1700000005000', 'ed25519:b now'])
  world.now += 5_000
  await book.rotate('local', synapse, keyText('c'))
  t.deepEqual(state(await world.again(), synapse)?.['keys'], [
    'ed25519:a 1700000005000',
    'ed25519:b 1700000010000',
    'ed25519:c now',
  ])
  const another = `ed25519:b=${encodeBase64(seedOf('another key'))}`
  await refused(t, 'PIN_MALFORMED', book.rotate('local', synapse, another))
  await book.pinSite('local', first)
  await refused(t, 'PIN_OF_OTHER_KIND', book.rotate('local', clinicName, keyText('b')))
})

test('terms that are no terms are refused with a sentence, and pin nothing', async t => {
  const { book } = await open()
  const { address: _, ...without } = terms
  const wrong = [
    { ...terms, key: 'ed25519:a' },
    { ...terms, key: 'rsa:a=AAAA' },
    { ...terms, key: 'ed25519:a=AAAA' },
    without,
    { ...terms, spkiSha256: undefined },
    { ...terms, spkiSha256: [] },
    { ...terms, spkiSha256: ['AAAA'] },
    { ...terms, ca: 'no PEM' },
    { ...terms, ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
    { ...terms, address: { host: 'a b', port: 1 } },
    { ...terms, address: { host: 'a', port: 0 } },
    { ...terms, direction: 'sideways' as never },
    { ...terms, transport: 'pigeon' as never },
    { ...terms, residency: 'somewhere' },
    { ...terms, note: 'x'.repeat(1001) },
  ]
  for (const one of wrong) await refused(t, 'PIN_MALFORMED', book.pinHomeserver('local', synapse, one))
  await refused(t, 'PIN_MALFORMED', book.pinHomeserver('local', 'no name', terms))
  t.false(book.isKnown(synapse))
})

test('a homeserver that is only verified needs neither address nor certificate, until it is to be talked to', async t => {
  const { book } = await open()
  await book.pinHomeserver('local', synapse, { key: terms.key, direction: 'verify-only' })
  t.true(book.isKnown(synapse))
  t.is(book.get(synapse)?.signingKeys.size, 1)
  await refused(t, 'PIN_MALFORMED', book.change('local', synapse, { direction: 'both' }))
  t.false(book.maySendTo(synapse))
  const { key: _, ...rest } = terms
  await book.change('local', synapse, { direction: 'both', ...rest })
  t.true(book.maySendTo(synapse))
})

test('a card without a certificate pins nobody whom we would dial', async t => {
  const { book } = await open()
  const bare = clinic.card(1_700_000_000_000, { tlsSpkiSha256: [] })
  await refused(t, 'PIN_MALFORMED', book.pinSite('local', bare))
  t.false(book.isKnown(clinicName))
  await book.pinSite('local', bare, { direction: 'verify-only' })
  await refused(t, 'PIN_MALFORMED', book.change('local', clinicName, { direction: 'both' }))
  await book.offerCard(clinicName, second)
  await book.change('local', clinicName, { direction: 'both' })
  t.true(book.maySendTo(clinicName))
})

test('curl’s way to write a certificate key is understood', async t => {
  const { book } = await open()
  await book.pinHomeserver('local', synapse, { ...terms, spkiSha256: [`sha256//${spki}=`] })
  t.deepEqual(book.get(synapse)?.tls.spkiSha256, [spki])
})

test('a site may be dialled elsewhere than its card says, and by another certificate as well', async t => {
  const { book } = await open()
  await book.pinSite('local', first, { address: { host: '10.0.0.5', port: 443 }, spkiSha256: [spki] })
  t.is(state(book)?.['at'], '10.0.0.5:443')
  t.deepEqual(book.get(clinicName)?.tls.spkiSha256, [clinic.facts.tlsSpkiSha256[0]!, spki])
  await book.offerCard(clinicName, second)
  t.is(state(book)?.['at'], '10.0.0.5:443')
  await refused(t, 'PIN_MALFORMED', book.change('local', clinicName, { residency: 'US' }))
})

test('a card is checked without being pinned', async t => {
  const { book } = await open()
  t.is((await book.checkCard(first)).card.serverName, clinicName)
  t.false(book.isKnown(clinicName))
  await book.pinSite('local', second)
  await refused(t, 'CARD_OLDER', book.checkCard(first))
})

for (const fails of ['before', 'after'] as const) {
  test(`a write that fails ${fails} its rows are there: stopped is stopped, anything else is what the store says`, async t => {
    const engine = new FailingEngine({ slow: true })
    const world = await open(await openGroupCommit(engine, { retryMs: 1 }))
    const { book } = world
    await book.pinSite('local', first)
    engine.fails = fails
    await t.throwsAsync(book.suspend('local', clinicName), { code: 'STORE_UNCERTAIN' })
    // The next change stands in line behind the reload.
    await book.change('local', clinicName, { note: 'later' })
    t.true(book.get(clinicName)?.suspended)
    t.true(book.pin(clinicName)?.peer.suspended)
    t.false(book.maySendTo(clinicName) || book.mayReceiveFrom(clinicName))
    t.is((await world.again()).get(clinicName)?.suspended, fails === 'after')
    await book.resume('local', clinicName)
    t.true(book.maySendTo(clinicName))
    t.deepEqual(state(await world.again()), state(book))
    await book.suspend('local', clinicName)
    engine.fails = fails
    await t.throwsAsync(book.resume('local', clinicName))
    await book.change('local', clinicName, { note: 'later still' })
    t.is(book.get(clinicName)?.suspended, (await world.again()).get(clinicName)?.suspended)
  })
}

test('a pin whose card was damaged shuts that server out, and no other', async t => {
  const world = await open()
  await world.book.pinSite('local', first)
  await world.book.pinHomeserver('local', synapse, terms)
  await world.store.transact('peers', async tx => {
    const row = await tx.get(peerTable.key(clinicName))
    tx.put(peerTable.key(clinicName), { ...row!, card: { ...row!.card, residency: 'US' } })
  })
  const book = await world.again()
  t.true(book.isKnown(clinicName))
  t.false(book.maySendTo(clinicName) || book.mayReceiveFrom(clinicName))
  t.true(book.maySendTo(synapse))
  t.is(world.reports.length, 1)
  await book.pinSite('local', first)
  t.true(book.maySendTo(clinicName))
})

test('after a repair no pin is trusted until a person resumes it: it may be one that was removed', async t => {
  const world = await open()
  await world.book.pinSite('local', first)
  await world.book.pinHomeserver('local', synapse, terms)
  t.true((await world.again()).maySendTo(clinicName))
  await world.store.transact('peers', tx => tx.put(peersSettingTable.key('epoch'), world.store.epoch - 1))
  const book = await world.again()
  for (const name of [clinicName, synapse]) {
    t.true(book.isKnown(name))
    t.false(book.maySendTo(name) || book.mayReceiveFrom(name))
    t.true(book.pin(name)?.row.afterRepair)
  }
  t.is(world.reports.length, 1)
  await book.resume('local', clinicName)
  const later = await world.again()
  t.true(later.maySendTo(clinicName))
  t.is(later.pin(clinicName)?.row.afterRepair, undefined)
  t.false(later.maySendTo(synapse))
})

test('a certificate that is not of an authority is no authority', async t => {
  const { book } = await open()
  t.false(new X509Certificate(leaf).ca)
  await refused(t, 'PIN_MALFORMED', book.pinHomeserver('local', synapse, { ...terms, ca: leaf }))
  await book.pinHomeserver('local', synapse, { ...terms, spkiSha256: undefined, ca: authority })
  t.deepEqual(book.get(synapse)?.tls, { spkiSha256: [], ca: authority })
})

test('a homeserver’s key list adds keys and ends, changes none, and ends with a rotation by a person', async t => {
  const world = await open()
  const { book } = world
  await book.pinHomeserver('local', synapse, terms)
  const key = (id: string) => signingKey(seedOf(id)).publicKey
  const list = new Map([
    ['ed25519:old' as KeyId, { publicKey: key('old'), expiredTs: 5 }],
    ['ed25519:new' as KeyId, { publicKey: key('new') }],
    ['ed25519:a' as KeyId, { publicKey: key('not a') }],
  ])
  t.is(await book.offerKeys(synapse, list), 'replaced')
  t.is(await book.offerKeys(synapse, list), 'same')
  t.deepEqual(state(book, synapse)?.['keys'], ['ed25519:a now', 'ed25519:old 5', 'ed25519:new now'])
  t.deepEqual([...book.get(synapse)!.signingKeys.get('ed25519:a' as KeyId)!.publicKey], [...key('a')])
  await book.rotate('local', synapse, keyText('b'))
  t.deepEqual(state(book, synapse)?.['keys'], [
    'ed25519:a 1700000000000',
    'ed25519:old 5',
    'ed25519:new 1700000000000',
    'ed25519:b now',
  ])
  const revived = new Map([['ed25519:a' as KeyId, { publicKey: key('a') }]])
  t.is(await book.offerKeys(synapse, revived), 'same')
  t.deepEqual(await world.acts(), ['local peer.pin', 'system peer.keys', 'local peer.rotate'])
  await refused(t, 'NOT_PINNED', book.offerKeys(clinicName, list))
})

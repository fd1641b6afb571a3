import test from 'ava'
import fc from 'fast-check'
import { buildCard, cardSays, readCard, readCardText } from '../../server/protocol/card.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { signJson } from '../../server/protocol/signing.ts'
import { mustRead, seedOf, siteOf } from '../peers/site.ts'
import { signingKey, verify } from '../support/primitives.ts'

const clinic = siteOf('clinic.example')
const card = clinic.card(1_700_000_000_000)
const text = JSON.stringify(card)

test('a card is read as it was written', t => {
  const { facts } = clinic
  const read = mustRead(card)
  t.true(cardSays(read, facts))
  t.is(read.serial, 1_700_000_000_000)
  t.deepEqual([...read.eventSigning[0]!.publicKey], [...facts.eventSigning[0]!.publicKey])
  t.is(readCardText(text, verify).kind, 'card')
})

test('a forged card is refused: whatever member is changed', t => {
  for (const name of Object.keys(card)) {
    const changed = { ...card, [name]: name === 'serial' ? 1_800_000_000_000 : 'x' }
    t.is(readCard(changed, verify).kind, 'refused', name)
    const { [name]: _, ...without } = card
    t.is(readCard(without, verify).kind, 'refused', `without ${name}`)
  }
  t.like(readCard({ ...card, serial: 1_800_000_000_000 }, verify), { code: 'CARD_FORGED' })
  t.like(readCard({ ...card, added: true }, verify), { code: 'CARD_FORGED' })
})

test('a card that another root key signed is refused', t => {
  const other = siteOf('clinic.example', 'another root').card(1_700_000_000_000)
  t.like(readCard({ ...card, signature: other['signature']! }, verify), { code: 'CARD_FORGED' })
})

test('a truncated card is refused, wherever it was cut', t => {
  for (let length = 0; length < text.length; length++) {
    const reading = readCardText(text.slice(0, length), verify)
    t.is(reading.kind, 'refused', `cut at ${length}`)
  }
})

test('what a root key signed as something else is no card', t => {
  const { signature: _, ...unsigned } = card
  const root = signingKey(seedOf('root of clinic.example'))
  const signed = signJson(unsigned, 'x', 'ed25519:1' as KeyId, root.sign)
  const stolen = { ...unsigned, signature: signed.signatures['x']!['ed25519:1' as KeyId]! }
  t.like(readCard(stolen, verify), { code: 'CARD_FORGED' })
})

test('members of a newer release are covered by the signature, and survive an older release', t => {
  const root = signingKey(seedOf('root of clinic.example'))
  const newer = buildCard(
    clinic.facts,
    {
      ...mustRead(card),
      json: {
        ...card,
        'org.example.new': { a: 1 },
        keys: { ...(card['keys'] as JsonObject), log: [{ id: 'x' }] },
      },
    },
    root,
    1_700_000_100_000,
  )
  const read = mustRead(newer)
  t.like(read.json, { 'org.example.new': { a: 1 }, keys: { log: [{ id: 'x' }] } })
  t.like(readCard({ ...newer, 'org.example.new': { a: 2 } }, verify), { code: 'CARD_FORGED' })
  t.like(clinic.card(1_700_000_200_000, {}, newer), { 'org.example.new': { a: 1 } })
})

test('the serial grows, even where the clock stands still or goes back', t => {
  const second = clinic.card(1_700_000_000_500, { residency: 'FR' }, card)
  t.is(mustRead(second).serial, 1_700_000_000_500)
  t.is(mustRead(clinic.card(1_600_000_000_000, {}, second)).serial, 1_700_000_000_501)
})

test('facts that changed ask for another card, their order does not', t => {
  const { facts } = clinic
  const read = mustRead(card)
  t.true(cardSays(read, structuredClone(facts)))
  t.false(cardSays(read, { ...facts, tlsSpkiSha256: [] }))
  t.false(cardSays(read, { ...facts, residency: 'FR' }))
  t.false(
    cardSays(read, { ...facts, eventSigning: facts.eventSigning.map(key => ({ ...key, expiredTs: 5 })) }),
  )
})

test('a card with members of the wrong shape is refused though its signature is good', t => {
  const root = signingKey(seedOf('root of clinic.example'))
  const { facts } = clinic
  const [key] = facts.eventSigning
  const wrong = [
    { ...facts, serverName: 'not a name' as never },
    { ...facts, address: { host: 'a b', port: 1 } },
    { ...facts, address: { host: 'a', port: 70_000 } },
    { ...facts, residency: 'de' },
    { ...facts, eventSigning: [] },
    { ...facts, eventSigning: [key!, key!] },
    { ...facts, eventSigning: [{ ...key!, expiredTs: 5 }] },
    { ...facts, eventSigning: [{ ...key!, publicKey: new Uint8Array(31) }] },
    { ...facts, tlsSpkiSha256: ['AAAA'] },
    { ...facts, origins: Array.from({ length: 101 }, () => 'https://x') },
  ]
  for (const [at, one] of wrong.entries()) {
    t.like(
      readCard(buildCard(one, null, root, 1_700_000_000_000), verify),
      { code: 'CARD_MALFORMED' },
      `${at}`,
    )
  }
  const long = buildCard({ ...facts, origins: ['x'.repeat(40_000)] }, null, root, 1_700_000_000_000)
  t.like(readCard(long, verify), { code: 'CARD_UNREADABLE' })
  t.like(readCardText(JSON.stringify(long), verify), { code: 'CARD_UNREADABLE' })
})

test('anything at all is read or refused, never thrown at', t => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(card)), (value, name) => {
      readCard(value as never, verify)
      return readCard({ ...card, [name]: value as never }, verify).kind === 'refused' || value === card[name]
    }),
    { numRuns: 300 },
  )
  t.pass()
})

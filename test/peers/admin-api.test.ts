/** Pins by the administration API: who may, what is compared, what is answered. */
import test from 'ava'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import { fingerprintWords } from '../../server/protocol/fingerprint-words.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { openHarness } from '../accounts/harness.ts'
import { sha256, signingKey } from '../support/primitives.ts'
import { until } from '../support/until.ts'
import { mustRead, seedOf, siteOf } from './site.ts'

const base = '/_letro/admin/v1/peers'
const court = siteOf('court.example')
const first = court.card(1_700_000_000_000)
const second = court.card(1_700_000_100_000, { residency: 'FR' }, first)
const wordsOf = (key: Uint8Array) => fingerprintWords(key, sha256)
const words = wordsOf(mustRead(first).rootKey)
const one = `${base}/court.example`

test('only administrators, before anything is looked up', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const asked: [string, string][] = [
    ['GET', base],
    ['POST', base],
    ['POST', `${base}/check`],
    ['GET', one],
    ['PUT', one],
    ['DELETE', one],
    ['PUT', `${one}/suspended`],
    ['POST', `${one}/rotate`],
    ['GET', '/_letro/admin/v1/site-card'],
    ['POST', '/_letro/admin/v1/site-card/rotate-key'],
  ]
  for (const [method, path] of asked) {
    const body = method === 'GET' ? undefined : {}
    t.is((await h.call(method, path, body, alice.token)).status, 403, `${method} ${path}`)
    t.is((await h.call(method, path, body)).status, 401, `${method} ${path}`)
  }
  t.is(h.peers.rotations, 0)
  await h.close()
})

test('a card is looked at, compared, pinned, replaced, suspended and removed', async t => {
  const h = await openHarness()
  const { token, userId } = await h.administrator()
  const looked = await h.post(`${base}/check`, { card: first }, token)
  t.like(looked.body, { server_name: 'court.example', serial: 1_700_000_000_000, pinned: null })
  t.deepEqual(looked.body.fingerprint, words)

  const without = await h.post(base, { card: first }, token)
  t.is(without.status, 400)
  t.is(without.body.errcode, 'M_MISSING_PARAM')
  const swapped = await h.post(base, { card: first, fingerprint: [...words].reverse().join(' ') }, token)
  t.is(swapped.body['org.letro.reason'], 'FINGERPRINT_MISMATCH')
  t.deepEqual((await h.get(base, token)).body, { peers: [] })

  const body = { card: first, fingerprint: words.join(' '), note: 'the court', direction: 'inbound' }
  const pinned = await h.post(base, body, token)
  t.is(pinned.status, 200, JSON.stringify(pinned.body))
  t.like(pinned.body, {
    server_name: 'court.example',
    kind: 'site',
    suspended: false,
    direction: 'inbound',
    address: { host: 'court.example', port: 8448 },
    residency: 'DE',
    note: 'the court',
    pinned_by: userId,
    outbound: { length: 0 },
  })
  t.like((await h.put(one, { direction: 'both' }, token)).body, { direction: 'both', note: 'the court' })

  // A newer card of a root that is pinned needs no second comparison.
  t.like((await h.post(base, { card: second }, token)).body, { serial: 1_700_000_100_000, residency: 'FR' })
  const older = await h.post(base, { card: first, fingerprint: words.join(' ') }, token)
  t.is(older.body['org.letro.reason'], 'CARD_OLDER')
  t.regex(older.body.error, /older/)

  h.peers.waiting.set('court.example', { length: 3, oldestTs: 5, lastError: 'ECONNREFUSED', nextTryTs: 9 })
  t.deepEqual((await h.get(one, token)).body.outbound, {
    length: 3,
    oldest_ts: 5,
    last_error: 'ECONNREFUSED',
    next_try_ts: 9,
  })
  t.is((await h.put(`${one}/suspended`, {}, token)).body.errcode, 'M_MISSING_PARAM')
  t.true((await h.put(`${one}/suspended`, { suspended: true }, token)).body.suspended)
  t.false(h.peers.book.maySendTo('court.example' as ServerName))
  t.false((await h.put(`${one}/suspended`, { suspended: false }, token)).body.suspended)
  t.is((await h.call('DELETE', one, undefined, token)).status, 200)
  t.is((await h.get(one, token)).status, 404)
  t.is((await h.call('DELETE', one, undefined, token)).body['org.letro.reason'], 'NOT_PINNED')

  const entries = await h.accounts.audit.list({ limit: 100 })
  const acts = entries.filter(({ target }) => target === 'court.example').map(({ action }) => action)
  t.deepEqual(acts, ['peer.pin', 'peer.change', 'peer.card', 'peer.suspend', 'peer.resume', 'peer.remove'])
  t.false(JSON.stringify(entries).includes('the court'), 'notes are people’s own words')
  await h.close()
})

test('a forged, older or truncated card is refused with a reason, and changes nothing', async t => {
  const h = await openHarness()
  const { token } = await h.administrator()
  await h.post(base, { card: second, fingerprint: words.join(' ') }, token)
  const before = (await h.get(base, token)).body
  const { signature: _, ...truncated } = second
  const thief = siteOf('court.example', 'a thief').card(1_800_000_000_000)
  const cards: [object, string][] = [
    [first, 'CARD_OLDER'],
    [{ ...second, residency: 'US' }, 'CARD_FORGED'],
    [truncated, 'CARD_FORGED'],
    [{}, 'CARD_MALFORMED'],
    [thief, 'CARD_OTHER_ROOT'],
  ]
  for (const path of [base, `${base}/check`]) {
    for (const [card, reason] of cards) {
      const answer = await h.post(path, { card, fingerprint: words.join(' ') }, token)
      t.is(answer.body['org.letro.reason'], reason)
    }
  }
  t.deepEqual((await h.get(base, token)).body, before)
  await h.close()
})

test('a homeserver is pinned and rotated with the words of its key', async t => {
  const h = await openHarness()
  const { token } = await h.administrator()
  const keyOf = (id: string) => signingKey(seedOf(id)).publicKey
  const key = (id: string) => `ed25519:${id}=${encodeBase64(keyOf(id))}`
  const body = {
    homeserver: 'synapse.example:8449',
    key: key('a'),
    fingerprint: wordsOf(keyOf('a')).join(' '),
    address: { host: '127.0.0.1', port: 8449 },
    spki_sha256: [encodeBase64(seedOf('tls'))],
    residency: 'CH',
  }
  const path = `${base}/${encodeURIComponent('synapse.example:8449')}`
  t.is((await h.post(base, { ...body, fingerprint: words.join(' ') }, token)).status, 400)
  const pinned = await h.post(base, body, token)
  t.like(pinned.body, { kind: 'homeserver', residency: 'CH', signing_keys: [{ id: 'ed25519:a' }] })
  t.is((await h.post(`${path}/rotate`, { key: key('b'), fingerprint: body.fingerprint }, token)).status, 400)
  const rotated = await h.post(
    `${path}/rotate`,
    { key: key('b'), fingerprint: wordsOf(keyOf('b')).join(' ') },
    token,
  )
  t.deepEqual(
    rotated.body.signing_keys.map((one: { id: string; expired_ts?: number }) => [
      one.id,
      typeof one.expired_ts,
    ]),
    [
      ['ed25519:a', 'number'],
      ['ed25519:b', 'undefined'],
    ],
  )
  t.deepEqual(rotated.body.fingerprint, wordsOf(keyOf('b')))
  await h.close()
})

test('two cards with one serial: every administrator is told, in the app as well', async t => {
  const h = await openHarness()
  const { token, userId } = await h.administrator()
  await h.post(base, { card: first, fingerprint: words.join(' ') }, token)
  const twin = court.card(1_700_000_000_000, { residency: 'US' })
  await t.throwsAsync(h.peers.book.offerCard('court.example' as ServerName, twin), {
    code: 'M_INVALID_PARAM',
  })
  t.deepEqual((await h.get(one, token)).body.conflict.serial, 1_700_000_000_000)
  let notices: unknown[] = []
  await until(async () => {
    const path = `/_matrix/client/v3/user/${userId}/account_data/org.letro.administration`
    notices = (await h.get(path, token)).body.notices ?? []
    return notices.length > 0
  })
  t.like(notices.at(-1), { action: 'peer.card-conflict', target: 'court.example' })
  await h.close()
})

test('our own card with its words; a rotation of our key is in the audit', async t => {
  const h = await openHarness()
  const { token, userId } = await h.administrator()
  const ours = (await h.get('/_letro/admin/v1/site-card', token)).body
  t.deepEqual(ours.fingerprint, wordsOf(mustRead(ours.card).rootKey))
  const rotated = await h.post('/_letro/admin/v1/site-card/rotate-key', undefined, token)
  t.is(rotated.body.key_id, 'ed25519:a_1')
  const entries = await h.accounts.audit.list({ limit: 100 })
  t.like(entries.at(-1), { actor: userId, action: 'site.rotate-key' })
  await h.close()
})

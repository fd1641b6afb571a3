/** Pins and the card in a whole server over LevelDB: rotation while it runs, a restart, a crash that lost the card. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { readCardText } from '../../server/protocol/card.ts'
import { fingerprintWords } from '../../server/protocol/fingerprint-words.ts'
import { startAdministered, adminToken as token } from '../support/administered.ts'
import { sha256, verify } from '../support/primitives.ts'
import { mustRead, siteOf } from './site.ts'

const base = '/_letro/admin/v1'

test('a pin and a rotated key outlive a restart; the new key signs what people send', async t => {
  const server = await startAdministered(t, '[federation]\nresidency = "DE"\naddress = "127.0.0.1:18448"\n')
  const court = siteOf('court.example')
  const card = court.card(1_700_000_000_000)
  const fingerprint = fingerprintWords(mustRead(card).rootKey, sha256).join(' ')
  const pinned = await server.call('POST', `${base}/peers`, { token, body: { card, fingerprint } })
  t.is(pinned.status, 200, JSON.stringify(pinned.body))

  const ours = (await server.call('GET', `${base}/site-card`, { token })).body.card
  t.like(ours, { residency: 'DE', address: { host: '127.0.0.1', port: 18_448 }, server_name: 'localhost' })
  const ann = await server.register('ann')
  const room = (await ann.call('POST', '/_matrix/client/v3/createRoom', { body: {} })).body.room_id
  const rotated = await server.call('POST', `${base}/site-card/rotate-key`, { token, body: {} })
  t.is(rotated.status, 200)
  const said = await ann.call('PUT', `/_matrix/client/v3/rooms/${room}/send/m.room.message/1`, {
    body: { msgtype: 'm.text', body: 'x' },
  })
  t.is(said.status, 200)

  await server.restart(() => rm(join(server.dataFolder, 'keys', 'site-card.json')))
  const [peer] = (await server.call('GET', `${base}/peers`, { token })).body.peers
  t.like(peer, { server_name: 'court.example', serial: 1_700_000_000_000, suspended: false })
  const reading = readCardText(
    await readFile(join(server.dataFolder, 'keys', 'site-card.json'), 'utf8'),
    verify,
  )
  t.is(reading.kind, 'card')
  const after = (await server.call('GET', `${base}/site-card`, { token })).body.card
  t.is(after.root_key, ours.root_key)
  t.true(after.serial >= rotated.body.serial)
  const current = after.keys['event-signing'].filter(
    (key: { expired_ts?: number }) => key.expired_ts === undefined,
  )
  t.deepEqual(
    current.map((key: { id: string }) => key.id),
    [rotated.body.key_id],
  )
  t.is(after.keys['event-signing'].length, 2)
  const checked = await server.call('GET', `${base}/audit/check`, { token })
  t.true(checked.body.whole)
})

/** Our key changes while messages flow: nothing is lost, nobody compares anything, and an older card changes nothing. */
import test from 'ava'
import { pinSite, startFederated } from '../support/federated.ts'
import { eventually, person } from '../support/person.ts'

const messages = 60

test('messages flow while the key is rotated, and a restored older card is refused', async t => {
  const [a, b] = await Promise.all([startFederated('a.test'), startFederated('b.test')])
  t.teardown(() => Promise.all([a.process.remove(), b.process.remove()]).then(() => {}))
  await pinSite(a, b)
  await pinSite(b, a)
  const { card: older } = (await a.admin('GET', '/site-card')).body
  const ann = await person(a, 'ann')
  const bob = await person(b, 'bob')
  const room = (await ann.ask('POST', '/createRoom', { preset: 'public_chat' })).room_id
  await bob.join(room, a.serverName)

  const said: string[] = []
  for (let i = 0; i < messages; i++) {
    said.push(await ann.say(room, `${i}`))
    if (i === messages / 2) await a.admin('POST', '/site-card/rotate-key', {})
  }
  const arrived = await eventually(async () => {
    const { chunk } = await bob.ask(
      'GET',
      `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=${messages}`,
    )
    const ids = chunk.map((event: { event_id: string }) => event.event_id).reverse()
    return ids.at(-1) === said.at(-1) && ids
  })
  t.deepEqual(arrived, said)

  const held = async () => (await b.admin('GET', `/peers/${encodeURIComponent(a.serverName)}`)).body
  const { card: newer } = (await a.admin('GET', '/site-card')).body
  const before = await held()
  t.is(before.serial, newer.serial)
  t.is(before.signing_keys.length, 2)
  t.is(before.signing_keys.filter((key: { expired_ts?: number }) => key.expired_ts === undefined).length, 1)

  await t.throwsAsync(b.admin('POST', '/peers', { card: older }), { message: /CARD_OLDER|older/i })
  t.deepEqual((await held()).signing_keys, before.signing_keys)
  t.is((await held()).serial, newer.serial)
})

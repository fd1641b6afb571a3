/** What somebody wrote who ended the account and wanted everything erased: for who was there, and for who came later. */
import test from 'ava'
import { startTestServer, type TestPerson, testPassword } from '../support/server.ts'

const v3 = '/_matrix/client/v3'
const v1 = '/_matrix/client/v1'

interface Event {
  readonly event_id: string
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly content: Record<string, unknown>
  readonly unsigned: Record<string, unknown>
}

test('events of an erased person are redacted copies for who was not there, by every way of reading', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const ann = await server.register('ann')
  const ben = await server.register('ben')
  const late = await server.register('late')
  await ann.call('PUT', `${v3}/profile/${ann.userId}/displayname`, { body: { displayname: 'Ann Secret' } })
  const created = await ben.call('POST', `${v3}/createRoom`, { body: { preset: 'public_chat' } })
  const room = `rooms/${encodeURIComponent(created.body.room_id)}`
  const send = async (who: TestPerson, txn: string, body: object) =>
    (await who.call('PUT', `${v3}/${room}/send/m.room.message/${txn}`, { body })).body.event_id as string
  await ann.call('POST', `${v3}/${room}/join`, { body: {} })
  const root = await send(ben, 'root', { msgtype: 'm.text', body: 'root' })
  const secret = await send(ann, 'secret', { msgtype: 'm.text', body: 'secret' })
  await send(ann, 'edit', {
    body: '* secret',
    'm.new_content': { msgtype: 'm.text', body: 'secret 2' },
    'm.relates_to': { rel_type: 'm.replace', event_id: secret },
  })
  await send(ann, 'reply', {
    msgtype: 'm.text',
    body: 'secret reply',
    'm.relates_to': { rel_type: 'm.thread', event_id: root },
  })
  const identifier = { type: 'm.id.user', user: 'ann' }
  const auth = { type: 'm.login.password', identifier, password: testPassword }
  const done = await ann.call('POST', `${v3}/account/deactivate`, { body: { erase: true, auth } })
  t.is(done.status, 200, JSON.stringify(done.body))
  await late.call('POST', `${v3}/${room}/join`, { body: {} })

  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 50 } } }))
  const federation = encodeURIComponent(JSON.stringify({ event_format: 'federation' }))
  const few = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 5 } } }))
  const ways = [
    `${v3}/${room}/messages?dir=b&limit=100`,
    `${v3}/${room}/event/${encodeURIComponent(secret)}`,
    `${v3}/${room}/event/${encodeURIComponent(root)}`,
    `${v3}/${room}/context/${encodeURIComponent(secret)}?limit=50`,
    `${v1}/${room}/relations/${encodeURIComponent(root)}`,
    `${v1}/${room}/relations/${encodeURIComponent(secret)}`,
    `${v1}/${room}/threads`,
    `${v3}/sync?filter=${filter}`,
    `${v3}/sync?filter=${few}`,
    `${v3}/sync?filter=${federation}`,
  ]
  for (const way of ways) {
    const forLate = await late.call('GET', way)
    t.is(forLate.status, 200, way)
    t.notRegex(JSON.stringify(forLate.body), /secret/, `${way}: who came later`)
    if (way.includes('/messages') || way.includes(encodeURIComponent(secret)))
      t.regex(JSON.stringify((await ben.call('GET', way)).body), /secret/, `${way}: who was there`)
  }
  const { chunk } = (await late.call('GET', ways[0]!)).body as { chunk: Event[] }
  const seen = chunk.find(({ event_id }) => event_id === secret)!
  t.deepEqual([seen.sender, seen.content], [ann.userId, {}])
  const members = chunk.filter(({ type, state_key }) => type === 'm.room.member' && state_key === ann.userId)
  t.deepEqual(
    members.map(({ content }) => content),
    [{ membership: 'leave' }, { membership: 'join' }],
  )
})

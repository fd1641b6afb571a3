/** Settings follow a person into the room that replaces another. Spec: client-server-api#room-upgrades */
import test from 'ava'
import { startTestServer, type TestPerson } from '../support/server.ts'

const v3 = '/_matrix/client/v3'
const path = (...parts: string[]) => `${v3}/${parts.map(encodeURIComponent).join('/')}`
const server = startTestServer()
test.after.always(async () => (await server).close())

async function ok(who: TestPerson, method: string, at: string, body?: object) {
  const answer = await who.call(method, at, body ? { body } : {})
  if (answer.status !== 200) throw new Error(`${method} ${at}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

const room = async (who: TestPerson, body: object) =>
  (await ok(who, 'POST', `${v3}/createRoom`, body)).room_id as string
const tags = async (who: TestPerson, roomId: string) =>
  (await ok(who, 'GET', path('user', who.userId, 'rooms', roomId, 'tags'))).tags

async function mute(who: TestPerson, old: string): Promise<void> {
  await ok(who, 'PUT', path('pushrules', 'global', 'override', old), {
    conditions: [{ kind: 'event_match', key: 'room_id', pattern: old }],
    actions: [],
  })
  await ok(who, 'PUT', path('pushrules', 'global', 'room', old), { actions: ['notify'] })
  await ok(who, 'PUT', `${path('pushrules', 'global', 'room', old)}/enabled`, { enabled: false })
}

test('tags, push rules and direct chats follow those who join, and whoever upgraded', async t => {
  const { register } = await server
  const [ann, ben] = [await register('moved-ann'), await register('moved-ben')]
  const old = await room(ann, { room_version: '11', preset: 'public_chat' })
  await ok(ben, 'POST', path('join', old), {})
  for (const who of [ann, ben]) {
    await ok(who, 'PUT', path('user', who.userId, 'rooms', old, 'tags', 'm.favourite'), { order: 0.5 })
    await mute(who, old)
    await ok(who, 'PUT', path('user', who.userId, 'account_data', 'm.direct'), {
      [who.userId]: [old, '!x:y'],
    })
  }
  const fresh = (await ok(ann, 'POST', path('rooms', old, 'upgrade'), { new_version: '12' })).replacement_room
  t.deepEqual(await tags(ben, fresh), {}, 'not before the person is there')
  await ok(ben, 'POST', path('join', fresh), {})
  await ok(ben, 'POST', path('join', fresh), {})
  for (const who of [ann, ben]) {
    t.deepEqual(await tags(who, fresh), { 'm.favourite': { order: 0.5 } })
    const { override, room } = (await ok(who, 'GET', `${v3}/pushrules/`)).global
    const of = (rules: { rule_id: string }[]) => rules.filter(({ rule_id }) => rule_id.includes(fresh))
    t.like(of(override), [
      {
        rule_id: fresh,
        enabled: true,
        actions: [],
        conditions: [{ kind: 'event_match', key: 'room_id', pattern: fresh }],
      },
    ])
    t.is(of(override).length, 1)
    t.like(of(room), [{ rule_id: fresh, enabled: false, actions: ['notify'] }])
    t.deepEqual(await ok(who, 'GET', path('user', who.userId, 'account_data', 'm.direct')), {
      [who.userId]: [old, '!x:y', fresh],
    })
  }
})

test('a room that only claims to replace another gets nothing', async t => {
  const { register } = await server
  const [ann, eve] = [await register('claimed-ann'), await register('claimed-eve')]
  const old = await room(ann, { preset: 'public_chat' })
  await ok(ann, 'PUT', path('user', ann.userId, 'rooms', old, 'tags', 'u.secret'), {})
  const trap = await room(eve, { preset: 'public_chat', creation_content: { predecessor: { room_id: old } } })
  await ok(ann, 'POST', path('join', trap), {})
  t.deepEqual(await tags(ann, trap), {})
})

test('what was set for the new room already stays', async t => {
  const { register } = await server
  const [ann, ben] = [await register('kept-ann'), await register('kept-ben')]
  const old = await room(ann, { preset: 'public_chat' })
  await ok(ben, 'POST', path('join', old), {})
  await ok(ben, 'PUT', path('user', ben.userId, 'rooms', old, 'tags', 'm.favourite'), {})
  const fresh = (await ok(ann, 'POST', path('rooms', old, 'upgrade'), { new_version: '12' })).replacement_room
  await ok(ben, 'PUT', path('user', ben.userId, 'rooms', fresh, 'tags', 'm.lowpriority'), {})
  await ok(ben, 'POST', path('join', fresh), {})
  t.deepEqual(await tags(ben, fresh), { 'm.lowpriority': {} })
})

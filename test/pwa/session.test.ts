/** Sessions as the worker has them, in Node: the vault on a database in memory, the real server as a process. */
import { call } from '../support/client.ts'
import { Person } from './person.ts'
import { testsWithServer } from './with-server.ts'

const test = testsWithServer()

test.serial('two people meet in a room that is not encrypted, write, edit, react, redact', async t => {
  const { server } = t.context
  const amal = await Person.begin(server, 'amal')
  const jonas = await Person.begin(server, 'jonas')
  const { calls } = amal.owner
  const roomId = await calls.createRoom({
    name: 'Ward 4',
    invite: [jonas.userId],
    isDirect: false,
    encrypted: false,
    joinRule: 'invite',
  })
  const invited = await jonas.until(async () =>
    (await jonas.owner.calls.rooms(null)).find(entry => entry.roomId === roomId),
  )
  t.is(invited.membership, 'invite')
  t.is(invited.name, 'Ward 4')
  t.is(invited.invite?.sender, amal.userId)
  await jonas.owner.calls.join({ room: roomId })
  await amal.until(async () =>
    (await calls.members(roomId)).some(
      member => member.userId === jonas.userId && member.membership === 'join',
    ),
  )

  const txnId = await calls.send({
    roomId,
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: 'the letter is ready' },
  })
  const page = () => calls.timeline({ roomId, at: 'end', before: 50, after: 0 })
  const sent = await amal.until(async () =>
    (await page()).items.find(item => item.key === txnId && item.eventId !== null),
  )
  t.is(sent.state, 'sent')
  const read = await jonas.until(async () =>
    (await jonas.owner.calls.timeline({ roomId, at: 'end', before: 50, after: 0 })).items.find(
      item => item.eventId === sent.eventId,
    ),
  )
  t.is(read.content['body'], 'the letter is ready')
  await jonas.owner.calls.send({
    roomId,
    type: 'm.reaction',
    content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: sent.eventId!, key: '👍' } },
  })
  await calls.send({
    roomId,
    type: 'm.room.message',
    content: {
      msgtype: 'm.text',
      body: '* the letter is done',
      'm.new_content': { msgtype: 'm.text', body: 'the letter is done' },
      'm.relates_to': { rel_type: 'm.replace', event_id: sent.eventId! },
    },
  })
  const changed = await amal.until(async () =>
    (await page()).items.find(
      item => item.eventId === sent.eventId && item.reactions.length > 0 && item.editedTs !== null,
    ),
  )
  t.is(changed.content['body'], 'the letter is done')
  t.deepEqual(
    changed.reactions.map(({ key, senders }) => [key, senders[0]?.userId]),
    [['👍', jonas.userId]],
  )

  await jonas.owner.calls.markRead({ roomId, eventId: sent.eventId! })
  await amal.until(async () =>
    (await page()).items.find(item => item.eventId === sent.eventId && item.state === 'read'),
  )
  const found = await amal.until(async () => {
    const { found: messages } = await calls.searchMessages({ text: 'letter do', limit: 10 })
    return messages.length > 0 ? messages : null
  })
  t.is(found[0]!.text, 'the letter is done')
  await calls.redact({ roomId, eventId: sent.eventId! })
  const redacted = await amal.until(async () =>
    (await page()).items.find(item => item.eventId === sent.eventId && item.redacted),
  )
  t.deepEqual(redacted.content, {})
  await amal.until(async () => (await calls.searchMessages({ text: 'letter', limit: 10 })).found.length === 0)
  for (const person of [amal, jonas]) await person.owner.calls.lock(null)
})

test.serial('who does not want to be seen typing is not, from the moment it is set', async t => {
  const { server } = t.context
  const amal = await Person.begin(server, 'amal-types')
  const jonas = await Person.begin(server, 'jonas-types')
  const { calls } = jonas.owner
  const roomId = await calls.createRoom({
    name: 'Ward 5',
    invite: [amal.userId],
    isDirect: false,
    encrypted: false,
    joinRule: 'invite',
  })
  await amal.until(() =>
    amal.owner.calls.rooms(null).then(rooms => rooms.some(room => room.roomId === roomId)),
  )
  await amal.owner.calls.join({ room: roomId })
  const heard = () => amal.notices('typing').filter(({ userIds }) => userIds.includes(jonas.userId)).length
  await amal.until(async () => {
    await calls.typing({ roomId, typing: true })
    return heard() > 0
  })
  await calls.typing({ roomId, typing: false })
  await amal.until(() => amal.notices('typing').at(-1)?.userIds.length === 0)

  const before = heard()
  await calls.setAccountData({ type: 'org.letro.privacy', content: { hide_typing: true } })
  await jonas.until(async () => (await calls.accountData('org.letro.privacy'))?.['hide_typing'])
  await calls.typing({ roomId, typing: true })
  // What comes after it has come: so would the notice.
  await calls.send({ roomId, type: 'm.room.message', content: { msgtype: 'm.text', body: 'unseen' } })
  await amal.until(async () =>
    (await amal.owner.calls.timeline({ roomId, at: 'end', before: 5, after: 0 })).items.some(
      ({ content }) => content['body'] === 'unseen',
    ),
  )
  t.is(heard(), before)

  await calls.setAccountData({ type: 'org.letro.privacy', content: {} })
  await jonas.until(async () => !(await calls.accountData('org.letro.privacy'))?.['hide_typing'])
  await calls.typing({ roomId, typing: true })
  await amal.until(() => heard() > before)
  t.pass()
  for (const person of [amal, jonas]) await person.owner.calls.lock(null)
})

test.serial('a room that the server froze sends nothing, and goes on when the server says so', async t => {
  const { server } = t.context
  const amal = await Person.begin(server, 'amal-frozen')
  const again = await server.login('amal-frozen', 'a long enough password')
  const { calls } = amal.owner
  const roomId = await calls.createRoom({
    name: 'Ward 6',
    invite: [],
    isDirect: false,
    encrypted: false,
    joinRule: 'invite',
  })
  const entry = async () => (await calls.rooms(null)).find(each => each.roomId === roomId)
  await amal.until(async () => (await entry())?.membership === 'join')
  const path = [again.userId, 'rooms', roomId, 'account_data', 'org.letro.frozen'].map(encodeURIComponent)
  const freeze = (body: object) =>
    call(server.base, 'PUT', `/_matrix/client/v3/user/${path.join('/')}`, { token: again.token, body })
  const frozen = await freeze({ server: 'stranger.example', by: amal.userId, event_id: '$e', since: 1 })
  t.is(frozen.status, 200, JSON.stringify(frozen.body))
  await amal.until(async () => (await entry())?.frozen)
  t.like((await calls.room(roomId)).may, { send: false, invite: false, upgrade: true })
  await calls.send({ roomId, type: 'm.room.message', content: { msgtype: 'm.text', body: 'waits' } })
  const last = async () => (await calls.timeline({ roomId, at: 'end', before: 5, after: 0 })).items.at(-1)
  t.like(await last(), { state: 'queued', problem: { code: 'ROOM_FROZEN' } })
  await freeze({})
  await amal.until(async () => (await last())?.state === 'sent')
  t.is((await last())?.content['body'], 'waits')
  await amal.owner.calls.lock(null)
})

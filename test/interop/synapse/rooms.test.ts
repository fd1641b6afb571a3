// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/** Rooms shared with a real Synapse: made on either side, in both versions that are about. */
import anyTest, { type TestFn } from 'ava'
import { at, type Person, until } from './person.ts'
import { World } from './world.ts'

const test = anyTest as TestFn<{ world: World; ours: Person; theirs: Person }>

let world: World
let ours: Person
let theirs: Person

test.before(async () => {
  world = await World.open()
  ours = await world.atLetro('amal')
  theirs = await world.atSynapse('jonas')
})
test.after.always(() => world?.close())
test.afterEach.always(t => {
  if (!t.passed) t.log(world.words)
})

for (const version of ['11', '12']) {
  for (const side of ['ours', 'theirs'] as const) {
    test.serial(`version ${version}, made on ${side}: invite, join, and what people do`, async t => {
      const [maker, guest] = side === 'ours' ? [ours, theirs] : [theirs, ours]
      const roomId = await maker.createRoom({
        room_version: version,
        preset: 'private_chat',
        name: 'Two houses',
      })
      const before = await maker.say(roomId, 'before you came')
      await maker.invite(roomId, guest.userId)
      await guest.isInvited(roomId)
      await guest.join(roomId)
      await maker.isMember(roomId, guest.userId, 'join')

      // Messages both ways, an edit, a reaction, a redaction.
      const hello = await maker.say(roomId, 'hello')
      t.is((await guest.sees(roomId, hello)).content['body'], 'hello')
      const answer = await guest.say(roomId, 'hello to you')
      t.is((await maker.sees(roomId, answer)).content['body'], 'hello to you')
      const edit = await guest.say(roomId, '* good day', {
        'm.new_content': { msgtype: 'm.text', body: 'good day' },
        'm.relates_to': { rel_type: 'm.replace', event_id: answer },
      })
      await maker.sees(roomId, edit)
      const reaction = await maker.send(roomId, 'm.reaction', {
        'm.relates_to': { rel_type: 'm.annotation', event_id: answer, key: '👍' },
      })
      await guest.sees(roomId, reaction)
      await maker.api('PUT', `${at(roomId)}/redact/${encodeURIComponent(hello)}/r${version}${side}`, {})
      await until('the redaction', async () =>
        (await guest.sees(roomId, hello)).unsigned?.['redacted_because'] ? true : undefined,
      )

      // History from before the join, by backfill.
      await until('history', async () =>
        (await guest.messages(roomId)).some(event => event.event_id === before) ? true : undefined,
      )

      // State that both see alike.
      await maker.setState(roomId, 'm.room.name', { name: 'said by the maker' })
      await maker.setState(roomId, 'm.room.power_levels', {
        ...(await maker.api('GET', `${at(roomId)}/state/m.room.power_levels/`)),
        users_default: 0,
        state_default: 0,
        events: {},
      })
      await until('power', async () =>
        (await guest.api('GET', `${at(roomId)}/state/m.room.power_levels/`)).state_default === 0
          ? true
          : undefined,
      )
      await guest.setState(roomId, 'm.room.topic', { topic: 'said by the guest' })
      await until('the new topic', async () =>
        (await maker.ask('GET', `${at(roomId)}/state/m.room.topic/`)).body.topic === 'said by the guest'
          ? true
          : undefined,
      )
      await sameState(t, roomId)

      // Leave, come back, be removed, be banned.
      await guest.leave(roomId)
      await maker.isMember(roomId, guest.userId, 'leave')
      await maker.invite(roomId, guest.userId)
      await guest.isInvited(roomId)
      await guest.join(roomId)
      await maker.isMember(roomId, guest.userId, 'join')
      const again = await maker.say(roomId, 'welcome back')
      await guest.sees(roomId, again)
      await maker.api('POST', `${at(roomId)}/kick`, { user_id: guest.userId, reason: 'for a moment' })
      await until('the kick', async () =>
        (await guest.ask('GET', `${at(roomId)}/joined_members`)).status === 403 ? true : undefined,
      )
      await maker.invite(roomId, guest.userId)
      await guest.isInvited(roomId)
      await guest.join(roomId)
      await maker.api('POST', `${at(roomId)}/ban`, { user_id: guest.userId })
      await until('the ban', async () =>
        (await guest.ask('GET', `${at(roomId)}/joined_members`)).status === 403 ? true : undefined,
      )
      t.not((await guest.ask('POST', `/v3/join/${encodeURIComponent(roomId)}`, {})).status, 200)
    })
  }
}

test.serial('an invite is declined, on either side', async t => {
  for (const [maker, guest] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const roomId = await maker.createRoom({ preset: 'private_chat' })
    await maker.invite(roomId, guest.userId)
    await guest.isInvited(roomId)
    await guest.leave(roomId)
    await maker.isMember(roomId, guest.userId, 'leave')
    t.pass()
  }
})

test.serial('a public room is joined by its alias, on either side', async t => {
  for (const [maker, guest] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const server = maker.userId.slice(maker.userId.indexOf(':') + 1)
    const name = `hall${server.length}`
    const roomId = await maker.createRoom({ preset: 'public_chat', room_alias_name: name })
    await guest.api('POST', `/v3/join/${encodeURIComponent(`#${name}:${server}`)}`, {})
    await maker.isMember(roomId, guest.userId, 'join')
    const said = await guest.say(roomId, 'here I am')
    t.is((await maker.sees(roomId, said)).sender, guest.userId)
  }
})

test.serial('typing and receipts are seen on the other side', async t => {
  for (const [one, other] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const roomId = await sharedRoom(one, other)
    const said = await one.say(roomId, 'read this')
    await other.sees(roomId, said)
    const { next_batch: since } = await one.api('GET', '/v3/sync?timeout=0')
    await other.api('POST', `${at(roomId)}/receipt/m.read/${encodeURIComponent(said)}`, {})
    await one.syncUntil(
      'the receipt',
      answer =>
        answer.rooms?.join?.[roomId]?.ephemeral?.events.some(
          (event: any) => event.type === 'm.receipt' && event.content[said]?.['m.read']?.[other.userId],
        ) || undefined,
      since,
    )
    await other.api('PUT', `${at(roomId)}/typing/${encodeURIComponent(other.userId)}`, {
      typing: true,
      timeout: 20_000,
    })
    await one.syncUntil(
      'typing',
      answer =>
        answer.rooms?.join?.[roomId]?.ephemeral?.events.some(
          (event: any) => event.type === 'm.typing' && event.content.user_ids.includes(other.userId),
        ) || undefined,
      since,
    )
    t.pass()
  }
})

test.serial('a file is sent and fetched, on either side', async t => {
  for (const [one, other] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const roomId = await sharedRoom(one, other)
    const bytes = Buffer.from(`a file of ${one.userId}`)
    const uploaded = await fetch(`${one.base}/_matrix/media/v3/upload?filename=note.txt`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${one.session.token}`, 'Content-Type': 'text/plain' },
      body: bytes,
    })
    const { content_uri: uri } = (await uploaded.json()) as { content_uri: string }
    await other.sees(
      roomId,
      await one.send(roomId, 'm.room.message', { msgtype: 'm.file', body: 'note.txt', url: uri }),
    )
    const fetched = await fetch(`${other.base}/_matrix/client/v1/media/download/${uri.slice(6)}`, {
      headers: { Authorization: `Bearer ${other.session.token}` },
    })
    t.is(fetched.status, 200)
    t.deepEqual(Buffer.from(await fetched.arrayBuffer()), bytes)
  }
})

test.serial('profiles are looked up across', async t => {
  await ours.api('PUT', `/v3/profile/${encodeURIComponent(ours.userId)}/displayname`, {
    displayname: 'Amal Nasser',
  })
  await theirs.api('PUT', `/v3/profile/${encodeURIComponent(theirs.userId)}/displayname`, {
    displayname: 'Jonas Weber',
  })
  const nameOf = async (asker: Person, { userId }: Person) =>
    (await asker.api('GET', `/v3/profile/${encodeURIComponent(userId)}`)).displayname
  // Whoever invited them just now has asked before, and answers are kept for some seconds.
  await until('the new name', async () => (await nameOf(ours, theirs)) === 'Jonas Weber' || undefined)
  t.is(await nameOf(theirs, ours), 'Amal Nasser')
})

test.serial('either restarts in the middle, and nothing is lost or doubled', async t => {
  const roomId = await sharedRoom(ours, theirs)
  await world.letro.process.kill()
  const missed = []
  for (let i = 0; i < 30; i++) missed.push(await theirs.say(roomId, `while you were away ${i}`))
  await world.letro.process.start()
  for (const eventId of missed) await ours.sees(roomId, eventId)
  await world.synapse.kill()
  const kept = []
  for (let i = 0; i < 30; i++) kept.push(await ours.say(roomId, `while they were away ${i}`))
  await world.letro.process.kill()
  await world.letro.process.start()
  await world.synapse.start()
  for (const eventId of kept) await theirs.sees(roomId, eventId)
  for (const person of [ours, theirs]) {
    const bodies = (await person.messages(roomId, 200)).map(event => event.content['body']).filter(Boolean)
    t.is(bodies.filter(body => /^while (you|they) were away/.test(body)).length, 60)
  }
  await sameState(t, roomId)
})

test.serial('state that both changed at once is resolved to the same', async t => {
  const roomId = await sharedRoom(ours, theirs, { power_level_content_override: { state_default: 0 } })
  for (let round = 0; round < 5; round++) {
    await Promise.all([
      ours.setState(roomId, 'm.room.topic', { topic: `ours ${round}` }),
      theirs.setState(roomId, 'm.room.topic', { topic: `theirs ${round}` }),
      ours.say(roomId, `o${round}`),
      theirs.say(roomId, `t${round}`),
    ])
  }
  const last = await ours.say(roomId, 'and now')
  await theirs.sees(roomId, last)
  await ours.sees(roomId, await theirs.say(roomId, 'the same'))
  await sameState(t, roomId)
})

async function sharedRoom(maker: Person, guest: Person, options: object = {}): Promise<string> {
  const roomId = await maker.createRoom({ preset: 'private_chat', invite: [guest.userId], ...options })
  await guest.isInvited(roomId)
  await guest.join(roomId)
  await maker.isMember(roomId, guest.userId, 'join')
  return roomId
}

/** By event id, on both servers. */
async function sameState(t: { deepEqual(a: unknown, b: unknown): void }, roomId: string): Promise<void> {
  const ids = async (person: Person) =>
    (await person.state(roomId)).map(event => `${event.type} ${event.state_key} ${event.event_id}`).sort()
  await until('the same state', async () =>
    JSON.stringify(await ids(ours)) === JSON.stringify(await ids(theirs)) ? true : undefined,
  ).catch(() => {})
  t.deepEqual(await ids(ours), await ids(theirs))
}

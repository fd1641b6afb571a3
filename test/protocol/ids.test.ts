import { readFileSync } from 'node:fs'
import test from 'ava'
import {
  createEventIdOf,
  isCompliantUserId,
  isNewLocalpart,
  localpartOf,
  parseDeviceId,
  parseEventId,
  parseRoomAlias,
  parseRoomId,
  parseServerName,
  parseUserId,
  roomIdOfCreateEvent,
  serverOf,
  type UserId,
} from '../../server/protocol/ids.ts'

type List = { valid: string[]; invalid: string[] }
const lists = JSON.parse(
  readFileSync(new URL('../vectors/identifiers.json', import.meta.url), 'utf8'),
) as Record<string, List>

const parsers: Record<string, (text: unknown) => string | null> = {
  serverName: parseServerName,
  userId: parseUserId,
  roomId: parseRoomId,
  eventId: parseEventId,
  roomAlias: parseRoomAlias,
}

for (const [kind, parse] of Object.entries(parsers)) {
  for (const text of lists[kind]!.valid) {
    test(`${JSON.stringify(text)} is a ${kind}`, t => {
      t.is(parse(text), text)
    })
  }
  for (const text of lists[kind]!.invalid) {
    test(`${JSON.stringify(text)} is no ${kind}`, t => {
      t.is(parse(text), null)
    })
  }
  test(`what is not a string is no ${kind}`, t => {
    for (const value of [undefined, null, 1, {}, ['@a:b']]) t.is(parse(value), null)
  })
}

test('an id may have 255 bytes and no more, counted in UTF-8', t => {
  const fits = `@${'a'.repeat(242)}:example.org`
  t.is(fits.length, 255)
  t.truthy(parseUserId(fits))
  t.is(parseUserId(`@a${fits.slice(1)}`), null)
  t.is(parseUserId(`@${'é'.repeat(121)}:example.org`)?.length, 134)
  t.is(parseUserId(`@${'é'.repeat(122)}:example.org`), null)
})

test('a user id splits at its first colon', t => {
  const id = parseUserId('@alice:example.org:8448') as UserId
  t.is(localpartOf(id), 'alice')
  t.is<string, string>(serverOf(id), 'example.org:8448')
})

test('historical user ids are taken in events and kept out of everything else', t => {
  t.true(isCompliantUserId('@ALICE!:example.org' as UserId))
  for (const id of ['@:example.org', '@ü:example.org', '@a b:example.org'])
    t.false(isCompliantUserId(id as UserId))
})

test('a new account has a localpart of the strict set', t => {
  for (const good of ['alice', 'a.b_c=d-e/f+9']) t.true(isNewLocalpart(good))
  for (const bad of ['', 'Alice', 'a b', 'ü', 'a:b', 'a@b']) t.false(isNewLocalpart(bad))
})

test('a room id and its create event id are one hash under two sigils', t => {
  const event = parseEventId('$Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg')!
  const room = roomIdOfCreateEvent(event)
  t.is(parseRoomId(room), room)
  t.is(createEventIdOf(room), event)
})

test('a device id is bounded and holds no control characters', t => {
  t.truthy(parseDeviceId('JLAFKJWSCS'))
  for (const bad of ['', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(256)]) t.is(parseDeviceId(bad), null)
})

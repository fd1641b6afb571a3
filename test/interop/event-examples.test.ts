/** The specification's event examples, as events of each room version: read, written, hashed, redacted, signed. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import { parsePdu } from '../../server/protocol/event.ts'
import { eventIdOf, hasExpectedContentHash } from '../../server/protocol/event-hash.ts'
import { checkEventSignature, signEvent, withContentHash } from '../../server/protocol/event-signing.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../../server/protocol/json.ts'
import { redact } from '../../server/protocol/redaction.ts'
import { roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { sha256, signingKey, verify } from '../support/primitives.ts'
import { sharedFolder } from '../support/shared-folder.ts'

const folder = join(sharedFolder(), 'reference/matrix-spec/data/event-schemas/examples')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(name => /\.(yaml|json)$/.test(name))
  .sort()

/** Examples build on each other: `$ref` names a file whose members stand where the example has none. */
function load(name: string): Json {
  const value = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json
  return resolve(value, join(name, '..'))
}

function resolve(value: Json, base: string): Json {
  if (Array.isArray(value)) return value.map((item: Json) => resolve(item, base))
  if (!isObject(value)) return value
  const { $ref, ...own } = value
  const members = Object.fromEntries(
    Object.entries(own).map(([key, item]) => [key, resolve(item ?? null, base)]),
  )
  return typeof $ref === 'string' ? { ...(load(join(base, $ref)) as JsonObject), ...members } : members
}

const { sign, publicKey } = signingKey(new Uint8Array(32).fill(7))
const server = 'example.org' as ServerName
const keyId = 'ed25519:1' as KeyId

test('all 89 examples are here', t => {
  t.is(files.length, 89)
})

for (const name of files) {
  test(`${name} goes through canonical JSON and back`, t => {
    const example = load(name)
    if (name === 'm.tag.yaml') {
      t.throws(
        () => canonicalJson(example),
        { code: 'NOT_AN_INTEGER' },
        'tags are no room events; their order is a fraction',
      )
      return
    }
    const text = canonicalJson(example)
    t.deepEqual(JSON.parse(text), example)
    t.is(canonicalJson(JSON.parse(text) as Json), text)
  })
}

const roomEvents = files
  .map(name => ({ name, example: load(name) }))
  .filter(
    (entry): entry is { name: string; example: JsonObject } =>
      isObject(entry.example) && 'event_id' in entry.example && 'type' in entry.example,
  )

test('most examples are events of a room', t => {
  t.true(roomEvents.length >= 40, `${roomEvents.length} are`)
})

for (const { name, example } of roomEvents) {
  test(`${name} as an event of versions 10, 11 and 12 keeps id and signature when redacted`, t => {
    for (const version of roomVersions) {
      const rules = roomVersion(version)!
      const { event_id: _eventId, room_id: _roomId, unsigned: _unsigned, ...rest } = example
      const createsRoom = rules.roomIdIsCreateEventHash && rest['type'] === 'm.room.create'
      const roomId = rules.roomIdIsCreateEventHash ? `!${'x'.repeat(43)}` : '!x:example.org'
      const event: JsonObject = {
        ...rest,
        ...(createsRoom ? {} : { room_id: roomId }),
        depth: 1,
        prev_events: [],
        auth_events: [],
      }
      const signed = signEvent(withContentHash(event, sha256), rules, server, keyId, sign)
      const parsed = parsePdu(signed as JsonObject, rules)
      t.is(parsed.kind, 'pdu', parsed.kind === 'refused' ? `${parsed.field} ${parsed.reason}` : undefined)
      t.true(hasExpectedContentHash(signed, sha256))

      const redacted = redact(signed as JsonObject, rules)
      t.is(eventIdOf(redacted, rules, sha256), eventIdOf(signed, rules, sha256))
      t.deepEqual(
        checkEventSignature(redacted, rules, server, () => publicKey, verify),
        { kind: 'valid' },
      )
    }
  })
}

import test from 'ava'
import { id, inRoom, startRoomServer } from './room-server.ts'

const server = await startRoomServer()
test.after.always(() => server.close())

const message = '/send/m.room.message/t'
const long = 'x'.repeat(256)

const refusals: [string, string, object, number, string][] = [
  ['a fraction in an event', message, { n: 1.5 }, 400, 'M_BAD_JSON'],
  ['an integer beyond 2^53', message, { n: 2 ** 60 }, 400, 'M_BAD_JSON'],
  ['a fraction deep in state', '/state/org.example.x', { a: [{ b: 0.1 }] }, 400, 'M_BAD_JSON'],
  ['an event of 70 KB', message, { body: 'x'.repeat(70_000) }, 413, 'M_TOO_LARGE'],
  ['a type that is too long', `/send/${long}/t`, {}, 413, 'M_TOO_LARGE'],
  ['a state key that is too long', `/state/org.example.x/${long}`, {}, 413, 'M_TOO_LARGE'],
  ['a create event', '/send/m.room.create/t', {}, 403, 'M_FORBIDDEN'],
  ['a second create event', '/state/m.room.create', {}, 400, 'M_INVALID_PARAM'],
  ['a member event without state key', '/send/m.room.member/t', { membership: 'join' }, 403, 'M_FORBIDDEN'],
  ['somebody else’s key', `/state/org.example.x/${id('bob')}`, {}, 403, 'M_FORBIDDEN'],
  [
    'a membership that there is not',
    `/state/m.room.member/${id('alice')}`,
    { membership: 'in' },
    403,
    'M_FORBIDDEN',
  ],
  ['levels that are no integers', '/state/m.room.power_levels', { users_default: '5' }, 403, 'M_FORBIDDEN'],
  [
    'a creator in the levels',
    '/state/m.room.power_levels',
    { users: { [id('alice')]: 1 } },
    400,
    'M_INVALID_PARAM',
  ],
  ['joining somebody else', `/state/m.room.member/${id('bob')}`, { membership: 'join' }, 403, 'M_FORBIDDEN'],
  ['a redaction of nothing', '/send/m.room.redaction/t', {}, 400, 'M_MISSING_PARAM'],
  ['a redaction of no event id', '/send/m.room.redaction/t', { redacts: 'x' }, 400, 'M_INVALID_PARAM'],
  [
    'a redaction of an unknown event',
    '/send/m.room.redaction/t',
    { redacts: `$${'a'.repeat(43)}` },
    404,
    'M_NOT_FOUND',
  ],
]

for (const [name, path, body, status, errcode] of refusals) {
  test(`refused, and nothing is written: ${name}`, async t => {
    const room = await server.createRoom('alice')
    const before = (await server.rooms.view(room as never))!.lastPosition
    const answer = await server.call('alice', 'PUT', inRoom(room, path), body)
    t.like(answer, { status, body: { errcode } }, JSON.stringify(answer.body))
    t.regex(answer.body.error, /\w+ .*\w/)
    t.is((await server.rooms.view(room as never))!.lastPosition, before)
  })
}

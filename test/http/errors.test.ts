import test from 'ava'
import { MatrixError } from '../../server/http/matrix-error.ts'
import type { Route } from '../../server/http/route.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import { StoreError } from '../../server/store/store.ts'
import { startHttp } from '../support/http.ts'

const secret = 'the-content-of-a-message'

const thrown: Record<string, unknown> = {
  matrix: new MatrixError(409, 'M_UNKNOWN', 'as it says', { extra: 1 }),
  room: new RoomError('M_FORBIDDEN', 'power is missing'),
  bug: new TypeError(`cannot read ${secret}`, { cause: new Error(secret) }),
  text: secret,
  full: new StoreError('STORE_FULL', `/data/${secret}`),
  uncertain: new StoreError('STORE_UNCERTAIN', secret),
  system: Object.assign(new Error(secret), { code: 'ENOENT' }),
  wait: new MatrixError(429, 'M_LIMIT_EXCEEDED', 'slow', { retry_after_ms: 2100 }),
}
const routes: Route[] = [
  {
    method: 'GET',
    path: '/throw/:what',
    steps: [
      ctx => {
        throw thrown[ctx.state.params['what'] ?? '']
      },
    ],
  },
]
const server = startHttp(routes)
test.after.always(async () => (await server).close())

const becomes = test.macro(async (t, what: string, status: number, body: object) => {
  const answer = await (await server).call('GET', `/throw/${what}`)
  t.is(answer.status, status)
  t.like(answer.body, body)
  t.is(typeof answer.body.error, 'string')
  t.false(JSON.stringify(answer.body).includes(secret), 'no detail of an inner error reaches the client')
})

test('a Matrix error is answered as it says', becomes, 'matrix', 409, {
  errcode: 'M_UNKNOWN',
  error: 'as it says',
  extra: 1,
})
test('an area’s error has the status of its code', becomes, 'room', 403, {
  errcode: 'M_FORBIDDEN',
  error: 'power is missing',
})
test('a bug is 500 without detail', becomes, 'bug', 500, { errcode: 'M_UNKNOWN' })
test('a thrown text is 500 without detail', becomes, 'text', 500, { errcode: 'M_UNKNOWN' })
test('a full disk is 503 and says so', becomes, 'full', 503, { errcode: 'M_UNKNOWN' })
test('an uncertain write is 503', becomes, 'uncertain', 503, { errcode: 'M_UNKNOWN' })
test('a system error’s code is no Matrix code', becomes, 'system', 500, { errcode: 'M_UNKNOWN' })

test('Retry-After is in whole seconds, rounded up', async t => {
  const { headers } = await (await server).call('GET', '/throw/wait')
  t.is(headers.get('retry-after'), '3')
})

test('the log names error, route and place, never a message', async t => {
  const { lines, call } = await server
  await call('GET', '/throw/bug?access_token=abc')
  const line = lines.find(text => text.includes('TypeError')) ?? ''
  t.regex(line, /\/throw\/:what/)
  t.regex(line, /errors\.test\.ts/)
  t.false(lines.join().includes(secret))
  t.false(lines.join().includes('abc'))
})

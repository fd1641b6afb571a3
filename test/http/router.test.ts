import test from 'ava'
import type { Route, Step } from '../../server/http/route.ts'
import { startHttp } from '../support/http.ts'

const showParams: Step = ctx => {
  ctx.body = { route: ctx.state.route, params: ctx.state.params }
}
const route = (method: Route['method'], path: string): Route => ({ method, path, steps: [showParams] })

const routes = [
  route('PUT', '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId'),
  route('PUT', '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey'),
  route('GET', '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey'),
  route('GET', '/_matrix/client/v3/rooms/:roomId/state/:eventType'),
  route('GET', '/_matrix/client/v3/rooms/:roomId/state'),
  route('GET', '/_matrix/client/v3/register/:anything'),
  route('GET', '/_matrix/client/v3/register/available'),
  route('GET', '/_matrix/client/v3/pushrules/'),
  route('POST', '/_matrix/client/v3/login'),
  route('GET', '/_matrix/client/v3/login'),
  route('GET', '/'),
]
const server = startHttp(routes)
test.after.always(async () => (await server).close())

const finds = test.macro(async (t, path: string, expected: string, params: Record<string, string>) => {
  const { status, body } = await (await server).call('GET', path)
  t.is(status, 200)
  t.deepEqual(body, { route: expected, params })
})

test('a literal path is found', finds, '/_matrix/client/v3/login', '/_matrix/client/v3/login', {})
test('the root is found', finds, '/', '/', {})
test(
  'a literal outranks a parameter, in whatever order they were listed',
  finds,
  '/_matrix/client/v3/register/available',
  '/_matrix/client/v3/register/available',
  {},
)
test(
  'parameters are decoded, %2F included',
  finds,
  '/_matrix/client/v3/rooms/%21a%3Ab/state/m.x%2Fy/%40u%3As%20%C3%A9',
  '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey',
  { roomId: '!a:b', eventType: 'm.x/y', stateKey: '@u:s é' },
)
test('r0 is another name for v3', finds, '/_matrix/client/r0/login', '/_matrix/client/v3/login', {})
test(
  'a slash at the end is the empty state key',
  finds,
  '/_matrix/client/v3/rooms/!a/state/m.room.name/',
  '/_matrix/client/v3/rooms/:roomId/state/:eventType',
  { roomId: '!a', eventType: 'm.room.name' },
)
test(
  'a path that the specification writes with a slash is found without it',
  finds,
  '/_matrix/client/v3/pushrules',
  '/_matrix/client/v3/pushrules/',
  {},
)
test(
  'a parameter is decoded once only',
  finds,
  '/_matrix/client/v3/rooms/%2521a/state',
  '/_matrix/client/v3/rooms/:roomId/state',
  { roomId: '%21a' },
)

const refuses = test.macro(async (t, method: string, path: string, status: number, errcode: string) => {
  const answer = await (await server).call(method, path)
  t.is(answer.status, status)
  t.is(answer.body.errcode, errcode)
  t.is(answer.headers.get('access-control-allow-origin'), '*')
})

test('an unknown path is 404', refuses, 'GET', '/_matrix/client/v3/nothing', 404, 'M_UNRECOGNIZED')
test('a longer path than known is 404', refuses, 'GET', '/_matrix/client/v3/login/x', 404, 'M_UNRECOGNIZED')
test('paths are case-sensitive', refuses, 'GET', '/_matrix/client/v3/LOGIN', 404, 'M_UNRECOGNIZED')
test('an empty parameter is 404', refuses, 'GET', '/_matrix/client/v3/rooms//state', 404, 'M_UNRECOGNIZED')
test('another method is 405', refuses, 'DELETE', '/_matrix/client/v3/login', 405, 'M_UNRECOGNIZED')
test('an unheard-of method is 405', refuses, 'PATCH', '/_matrix/client/v3/login', 405, 'M_UNRECOGNIZED')
test(
  'a path with parameters knows its methods',
  refuses,
  'POST',
  '/_matrix/client/v3/rooms/!a/state',
  405,
  'M_UNRECOGNIZED',
)
test(
  'a % that encodes nothing is refused',
  refuses,
  'GET',
  '/_matrix/client/v3/rooms/%zz/state',
  400,
  'M_INVALID_PARAM',
)
test(
  'bytes that are no UTF-8 are refused',
  refuses,
  'GET',
  '/_matrix/client/v3/rooms/%ff/state',
  400,
  'M_INVALID_PARAM',
)

test('a 405 names the methods that are answered', async t => {
  const { headers } = await (await server).call('DELETE', '/_matrix/client/v3/login')
  t.is(headers.get('allow'), 'GET, POST, OPTIONS')
})

test('HEAD is answered like GET without a body', async t => {
  const { status, body } = await (await server).call('HEAD', '/_matrix/client/v3/login')
  t.is(status, 200)
  t.is(body, '')
})

test('OPTIONS is answered for every path with the CORS headers and runs nothing', async t => {
  for (const path of ['/_matrix/client/v3/login', '/_matrix/client/v3/nothing', '/%zz']) {
    const { status, headers, body } = await (await server).call('OPTIONS', path)
    t.is(status, 204)
    t.is(body, '')
    t.is(headers.get('access-control-allow-origin'), '*')
    t.regex(headers.get('access-control-allow-methods') ?? '', /GET.*POST.*PUT.*DELETE.*OPTIONS/)
    t.regex(
      headers.get('access-control-allow-headers') ?? '',
      /X-Requested-With, Content-Type, Authorization/,
    )
  }
})

test('two routes for one method and path are refused at start', async t => {
  const twice = [route('GET', '/a/:one'), route('GET', '/a/:other')]
  await t.throwsAsync(startHttp(twice), { message: 'two routes answer GET /a/:' })
})

test('answers are application/json without a charset, refusals as well', async t => {
  const { call } = await server
  for (const path of ['/', '/nothing'])
    t.is((await call('GET', path)).headers.get('content-type'), 'application/json')
})

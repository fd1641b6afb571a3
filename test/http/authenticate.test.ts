import test from 'ava'
import {
  mayAccessToken,
  refuseSuspended,
  requireAccessToken,
  requireAccessTokenEvenLocked,
  type TokenReader,
  type TokenState,
} from '../../server/http/authenticate.ts'
import type { Requester, Step } from '../../server/http/route.ts'
import { startHttp } from '../support/http.ts'

const requester = { userId: '@u:s', deviceId: 'D', kind: 'member', tokenHash: 'h' } as unknown as Requester
const tokens: Record<string, TokenState> = {
  good: { kind: 'valid', requester, standing: 'good' },
  locked: { kind: 'valid', requester, standing: 'locked' },
  suspended: { kind: 'valid', requester, standing: 'suspended' },
  expired: { kind: 'expired' },
}
const accounts: TokenReader = { readToken: async token => tokens[token] ?? { kind: 'unknown' } }
const who: Step = ctx => {
  ctx.body = { user_id: ctx.state.requester?.userId ?? null }
}
const server = startHttp([
  { method: 'GET', path: '/must', steps: [requireAccessToken(accounts), who] },
  { method: 'GET', path: '/may', steps: [mayAccessToken(accounts), who] },
  { method: 'GET', path: '/logout', steps: [requireAccessTokenEvenLocked(accounts), who] },
  { method: 'GET', path: '/send', steps: [requireAccessToken(accounts), refuseSuspended, who] },
])
test.after.always(async () => (await server).close())

interface Expected {
  readonly path: string
  readonly header?: string
  readonly status: number
  readonly body: object
}
const answers = test.macro(async (t, { path, header, status, body }: Expected) => {
  const answer = await (await server).call(
    'GET',
    path,
    header === undefined ? {} : { headers: { authorization: header } },
  )
  t.is(answer.status, status)
  t.like(answer.body, body)
})
const me = { user_id: '@u:s' }
const missing = { status: 401, body: { errcode: 'M_MISSING_TOKEN' } }
const unknown = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false } }

test('a good token is let in', answers, { path: '/must', header: 'Bearer good', status: 200, body: me })
test('the scheme’s case does not matter', answers, {
  path: '/must',
  header: 'bearer good',
  status: 200,
  body: me,
})
test('a token in the query is let in', answers, { path: '/must?access_token=good', status: 200, body: me })
test('the same token in both is let in', answers, {
  path: '/must?access_token=good',
  header: 'Bearer good',
  status: 200,
  body: me,
})
test('no token is M_MISSING_TOKEN', answers, { path: '/must', ...missing })
test('an empty query token is missing', answers, { path: '/must?access_token=', ...missing })
test('another scheme is missing', answers, { path: '/must', header: 'Basic good', ...missing })
test('a token with a space is missing', answers, { path: '/must', header: 'Bearer a b', ...missing })
test('an unknown token is M_UNKNOWN_TOKEN', answers, { path: '/must', header: 'Bearer other', ...unknown })
test('two different tokens are refused', answers, {
  path: '/must?access_token=good',
  header: 'Bearer locked',
  status: 401,
  body: { errcode: 'M_UNKNOWN_TOKEN' },
})
test('two tokens in the query are refused', answers, {
  path: '/must?access_token=good&access_token=good',
  status: 401,
  body: { errcode: 'M_UNKNOWN_TOKEN' },
})
test('an expired token is a soft logout', answers, {
  path: '/must',
  header: 'Bearer expired',
  status: 401,
  body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true },
})
test('a locked account is refused softly', answers, {
  path: '/must',
  header: 'Bearer locked',
  status: 401,
  body: { errcode: 'M_USER_LOCKED', soft_logout: true },
})
test('a locked account may log out', answers, {
  path: '/logout',
  header: 'Bearer locked',
  status: 200,
  body: me,
})
test('a suspended account may read', answers, {
  path: '/must',
  header: 'Bearer suspended',
  status: 200,
  body: me,
})
test('a suspended account may not send', answers, {
  path: '/send',
  header: 'Bearer suspended',
  status: 403,
  body: { errcode: 'M_USER_SUSPENDED' },
})
test('where a token is optional none is nobody', answers, {
  path: '/may',
  status: 200,
  body: { user_id: null },
})
test('where a token is optional a wrong one is refused', answers, {
  path: '/may',
  header: 'Bearer other',
  ...unknown,
})

import test from 'ava'
import { Http } from '../../pwa/api/http.ts'
import { accountCalls } from '../../pwa/worker/account-calls.ts'
import { isObject } from '../../server/protocol/json.ts'

interface Seen {
  readonly method: string
  readonly path: string
  readonly body: Record<string, unknown>
}

/** A server that answers from a table, and says what it was asked. */
function callsTo(
  answers: Record<string, (body: Record<string, unknown>) => [status: number, body: unknown]>,
) {
  const seen: Seen[] = []
  const http = new Http({
    origin: 'https://chat.example.org',
    tokens: { accessToken: 't', refreshToken: null, expiresTs: null },
    userId: '@amal:example.org',
    deviceId: 'DEVICE',
    keepTokens: async () => {},
    onEnded: () => {},
    clock: () => 0,
    fetch: async (input, init) => {
      const path = decodeURIComponent(new URL(String(input)).pathname)
      const body = init?.body ? JSON.parse(String(init.body)) : {}
      seen.push({ method: init?.method ?? 'GET', path, body })
      const [status, answer] = answers[`${init?.method} ${path}`]!(body)
      return new Response(JSON.stringify(answer), { status })
    },
  })
  return { calls: accountCalls({ http: () => http }), seen }
}

const wish = {
  session: 's1',
  flows: [{ stages: ['org.letro.login.passkey'] }],
  params: { 'org.letro.login.passkey': { options: { challenge: 'AAAA' } } },
}

test('passkeys are listed; what is none is left out', async t => {
  const { calls } = callsTo({
    'GET /_letro/client/v1/passkeys': () => [
      200,
      {
        passkeys: [
          { id: 'a', name: 'Chrome, Linux', public_key: 'pQ', created_ts: 5, backup_eligible: true },
          { name: 'without id' },
          null,
        ],
      },
    ],
  })
  t.deepEqual(await calls.passkeys(null), [
    { id: 'a', name: 'Chrome, Linux', publicKey: 'pQ', createdTs: 5, lastUsedTs: null, synced: true },
  ])
})

test('removing a passkey wishes confirmation first, and is made again with the answer', async t => {
  const path = 'DELETE /_letro/client/v1/passkeys/a/b'
  const { calls, seen } = callsTo({ [path]: body => (isObject(body['auth']) ? [200, {}] : [401, wish]) })
  const error = await t.throwsAsync(calls.removePasskey({ id: 'a/b', auth: null }))
  t.like(error, { code: 'CONFIRMATION_NEEDED', details: { session: 's1', options: { challenge: 'AAAA' } } })
  await calls.removePasskey({ id: 'a/b', auth: { session: 's1' } })
  t.deepEqual(
    seen.map(({ body }) => body),
    [{}, { auth: { session: 's1' } }],
  )
})

test('a pusher is named by its endpoint, known again, and taken away under the same name', async t => {
  const pushers: unknown[] = [{ app_id: 'org.letro.app', pushkey: 'x' }, null, 7]
  const { calls, seen } = callsTo({
    'POST /_matrix/client/v3/pushers/set': () => [200, {}],
    'GET /_matrix/client/v3/pushers': () => [200, { pushers }],
  })
  const pusher = {
    subscription: { endpoint: `https://push.example/${'x'.repeat(900)}` },
    deviceName: 'Chrome, Linux',
    language: 'de',
  }
  await calls.setPusher({ ...pusher, on: true })
  await calls.setPusher({ ...pusher, on: false })
  const [on, off] = seen.map(({ body }) => body)
  t.is(on?.['pushkey'], off?.['pushkey'])
  t.is(String(on?.['pushkey']).length, 43)
  t.not(on?.['kind'], null)
  t.is(off?.['kind'], null)
  const { endpoint } = pusher.subscription
  t.false(await calls.hasPusher(endpoint))
  pushers.push({ app_id: 'org.letro.app', pushkey: on?.['pushkey'] })
  t.true(await calls.hasPusher(endpoint))
  t.false(await calls.hasPusher(`${endpoint}y`))
})

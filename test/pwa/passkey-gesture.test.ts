import test from 'ava'
import { authOf, wishOf } from '../../pwa/api/interactive-auth.ts'
import { VaultError } from '../../pwa/vault/errors.ts'
import { Caller, carryOut, type End, type Request } from '../../pwa/worker/frames.ts'

const asked = {
  session: 's1',
  flows: [{ stages: ['org.letro.login.passkey'] }],
  params: { 'org.letro.login.passkey': { options: { challenge: 'AAAA' } } },
}

test('a 401 with flows is a wish for confirmation, and what else is refused is none', t => {
  t.deepEqual(wishOf(401, asked), { session: 's1', options: { challenge: 'AAAA' } })
  t.deepEqual(wishOf(401, { ...asked, params: {} }), { session: 's1', options: null })
  t.is(wishOf(401, { errcode: 'M_UNKNOWN_TOKEN' }), null)
  t.is(wishOf(403, asked), null)
  t.is(wishOf(401, '<html>'), null)
})

test('the answer names the wish that it is for', t => {
  t.deepEqual(authOf({ session: 's1', options: null }, { id: 'x' }), {
    type: 'org.letro.login.passkey',
    session: 's1',
    assertion: { id: 'x' },
  })
})

test('a wish reaches the page with the refusal', async t => {
  const details = { session: 's1', options: { challenge: 'AAAA' } }
  const calls = {
    remove: async () => {
      throw new VaultError('CONFIRMATION_NEEDED', 'the server asks', { details })
    },
  }
  const end: End = {
    onmessage: null,
    postMessage(message) {
      const answer = carryOut(calls, message as Request)
      void answer.then(data => end.onmessage?.({ data: structuredClone(data) } as MessageEvent))
    },
  }
  const caller = new Caller<typeof calls, never>(end, () => {})
  const error = await t.throwsAsync<VaultError>(caller.call('remove', undefined as never))
  t.is(error.code, 'CONFIRMATION_NEEDED')
  t.deepEqual(error.details, details)
})

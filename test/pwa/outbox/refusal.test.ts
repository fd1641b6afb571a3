import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { E2eeError } from '../../../pwa/e2ee/errors.ts'
import { outcomeOf, problemOf } from '../../../pwa/outbox/refusal.ts'
import { Paused } from '../../../pwa/outbox/uploads.ts'
import { VaultError } from '../../../pwa/vault/errors.ts'

const api = (code: string, status = 0) => new ApiError(code, 'words', { status })

for (const [outcome, error] of [
  ['again', api('OFFLINE')],
  ['again', api('TIMED_OUT')],
  ['again', api('BAD_ANSWER')],
  ['again', api('M_LIMIT_EXCEEDED', 429)],
  ['again', api('M_UNKNOWN', 502)],
  ['again', api('HTTP_403', 403)],
  ['failed', api('HTTP_413', 413)],
  ['failed', api('M_FORBIDDEN', 403)],
  ['failed', api('M_TOO_LARGE', 413)],
  ['failed', new E2eeError('ROOM_NOT_ENCRYPTED', 'words')],
  ['failed', new VaultError('WAITING_FILE_GONE', 'words')],
  ['failed', new TypeError('words')],
  ['hold', api('M_USER_LOCKED', 401)],
  ['hold', api('M_USER_SUSPENDED', 403)],
  ['hold', new VaultError('VAULT_FULL', 'words')],
  ['hold', new VaultError('STORAGE_FAILED', 'words')],
  ['sleep', api('M_UNKNOWN_TOKEN', 401)],
  ['sleep', new VaultError('VAULT_LOCKED', 'words')],
  ['paused', new Paused('words')],
] as const) {
  test(`${(error as { code?: string }).code ?? error.name} (${error.name}): ${outcome}`, t => {
    t.is(outcomeOf(error), outcome)
  })
}

test('a problem has a code, and the other side’s words', t => {
  t.deepEqual(problemOf(api('M_FORBIDDEN', 403)), { code: 'M_FORBIDDEN', message: 'words', blockedBy: [] })
  t.is(problemOf(api('HTTP_413', 413)).code, 'M_TOO_LARGE')
  t.is(problemOf(new TypeError('words')).code, 'INTERNAL')
})

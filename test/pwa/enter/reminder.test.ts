/** Who is reminded of what, and when; and what a link, a code or an idle machine is. */
import test from 'ava'
import { arrivalIn, arrivalOf } from '../../../pwa/views/enter/link.ts'
import { type ReminderFacts, reminderFor } from '../../../pwa/views/enter/reminder.ts'

const dayMs = 86_400_000
const now = 1_800_000_000_000
const facts: ReminderFacts = {
  now,
  inMemory: false,
  hasRecoveryKey: true,
  recoveryCheckedTs: now - dayMs,
  passkeys: [{ synced: true }],
  putOff: {},
}

for (const [what, change, expected] of [
  ['nothing to say', {}, null],
  ['a key that was never typed back', { recoveryCheckedTs: 0 }, 'recovery-never'],
  ['put off an hour ago', { recoveryCheckedTs: 0, putOff: { 'recovery-never': now - 3_600_000 } }, null],
  [
    'put off yesterday',
    { recoveryCheckedTs: 0, putOff: { 'recovery-never': now - dayMs } },
    'recovery-never',
  ],
  ['29 days after', { recoveryCheckedTs: now - 29 * dayMs }, null],
  ['30 days after', { recoveryCheckedTs: now - 30 * dayMs }, 'recovery-check'],
  ['no recovery key at all', { hasRecoveryKey: false, recoveryCheckedTs: 0 }, null],
  ['one passkey on one device', { passkeys: [{ synced: false }] }, 'second-passkey'],
  ['two of them', { passkeys: [{ synced: false }, { synced: false }] }, null],
  ['nobody could be asked', { passkeys: null }, null],
  ['the key first', { recoveryCheckedTs: 0, passkeys: [{ synced: false }] }, 'recovery-never'],
  ['a shared computer', { inMemory: true, recoveryCheckedTs: 0 }, null],
] as const) {
  test(`reminders: ${what}`, t => {
    t.is(reminderFor({ ...facts, ...change }), expected)
  })
}

const origin = 'https://chat.clinic.example'
const secret = 'enrol_q3x-abcDEF012'
const key = 'A'.repeat(43)

for (const [text, expected] of [
  [`${origin}/enrol#${secret}`, { kind: 'invitation', secret }],
  [`  ${origin}/enrol#${secret}\n`, { kind: 'invitation', secret }],
  [secret, { kind: 'invitation', secret }],
  ['ABCD EFGH', { kind: 'invitation', secret: 'ABCDEFGH' }],
  [`${origin}/link#id1234567890.${key}.tok`, { kind: 'device-link', fragment: `id1234567890.${key}.tok` }],
  [`https://elsewhere.example/enrol#${secret}`, null],
  [`${origin.replace('https', 'http')}/enrol#${secret}`, null],
  [`${origin}/enrol`, null],
  [`${origin}/other#${secret}`, null],
  ['https://', null],
  ['<script>', null],
  ['', null],
] as const) {
  test(`what is typed or scanned: ${JSON.stringify(text)}`, t => {
    t.deepEqual(arrivalIn(text, origin), expected)
  })
}

test('a demonstration’s link names a person', t => {
  t.deepEqual(arrivalOf({ pathname: '/', hash: '#/demo/amal' }), { kind: 'demo', localpart: 'amal' })
  t.is(arrivalIn(`${origin}/#/demo/amal`, origin), null)
})

test('a room’s address is no arrival', t => {
  t.deepEqual(arrivalOf({ pathname: '/', hash: '#/room/!a' }), { kind: 'none' })
  t.deepEqual(arrivalOf({ pathname: '/enrol', hash: '#/settings/about' }), { kind: 'none' })
})

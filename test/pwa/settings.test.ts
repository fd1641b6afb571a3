import test from 'ava'
import { parsePreferences } from '../../pwa/views/preferences.ts'
import { parseServerInfo } from '../../pwa/views/server-info.ts'
import { changesFor, isOn, isSilent, silence, subjects } from '../../pwa/views/settings/notify-rules.ts'
import { pushStateOf } from '../../pwa/views/settings/push-state.ts'
import type { UserId } from '../../server/protocol/ids.ts'
import { isObject, type JsonObject } from '../../server/protocol/json.ts'
import { defaultRules } from '../../server/push/rules.ts'

test('preferences that do not fit are as they are at first', t => {
  const fresh = parsePreferences(null)
  for (const text of ['', '{', 'null', '7', '[]', '{"lockAfterMinutes":3,"notify":"yes"}'])
    t.deepEqual(parsePreferences(text), fresh, text)
  t.like(parsePreferences('{"lockAfterMinutes":0,"enterSends":false}'), {
    lockAfterMinutes: 0,
    enterSends: false,
    notify: true,
  })
})

test('what a server does not say is not allowed', t => {
  const none = {
    serverName: '',
    push: { allowed: false, vapidPublicKey: null },
    hasPresence: false,
    lockAfterDays: 0,
    demo: [],
  }
  for (const answer of [null, [], {}, { push: true, presence: true, policy: [] }])
    t.deepEqual(parseServerInfo(answer), none)
  t.false(parseServerInfo({ push: { allowed: true } }).push.allowed)
  t.deepEqual(
    parseServerInfo({
      server_name: 'clinic.example',
      push: { allowed: true, vapid_public_key: 'BA' },
      presence: { enabled: true },
      policy: { lock_after_days: 30 },
    }),
    {
      serverName: 'clinic.example',
      push: { allowed: true, vapidPublicKey: 'BA' },
      hasPresence: true,
      lockAfterDays: 30,
      demo: [],
    },
  )
})

test('Web Push says why it is not to be had, the reason that can be mended first', t => {
  const here = { allowed: true, supported: true, isApple: false, isInstalled: false, endpoint: null }
  t.is(pushStateOf(here).kind, 'off')
  t.is(pushStateOf({ ...here, allowed: false }).kind, 'not-allowed')
  t.is(pushStateOf({ ...here, supported: false }).kind, 'unsupported')
  t.is(pushStateOf({ ...here, supported: false, isApple: true }).kind, 'install-first')
  t.deepEqual(pushStateOf({ ...here, endpoint: 'https://push.example:443/abc' }), {
    kind: 'on',
    host: 'push.example',
  })
})

/** The server's default rules, with changes laid over them as the server does. */
function rulesWith(...changes: { kind: string; ruleId: string }[]): JsonObject {
  const set = structuredClone(defaultRules('@us:here' as UserId)) as unknown as Record<
    string,
    Record<string, unknown>[]
  >
  for (const { kind, ruleId, ...rest } of changes)
    Object.assign(set[kind]!.find(rule => rule['rule_id'] === ruleId)!, rest)
  return { global: set } as unknown as JsonObject
}

test('each switch names rules that the server has, and changes what is read back', t => {
  t.false(isSilent(rulesWith()))
  for (const subject of subjects) {
    t.true(isOn(rulesWith(), subject), subject)
    const off = rulesWith(...changesFor(subject, false))
    t.false(isOn(off, subject), subject)
    for (const other of subjects) if (other !== subject) t.true(isOn(off, other), other)
    t.deepEqual(rulesWith(...changesFor(subject, true)), rulesWith(), subject)
  }
  t.true(isSilent(rulesWith(silence(true))))
  t.false(isSilent(rulesWith(silence(false))))
})

test('rules of another shape are read as the specification’s own', t => {
  for (const rules of [{}, { global: [] }, { global: { override: {} } }, { global: { override: [null, 3] } }])
    for (const subject of subjects) t.true(isOn(rules as unknown as JsonObject, subject))
})

test('a change holds what Matrix takes', t => {
  for (const subject of subjects)
    for (const { actions } of changesFor(subject, true))
      for (const action of actions ?? []) t.true(typeof action === 'string' || isObject(action))
})

import test from 'ava'
import { deviceKey, enrolmentWords, findingsOf } from '../../pwa/views/trust/device-words.ts'
import { matching, organisationsOf, readersIn } from '../../pwa/views/trust/organisations.ts'
import { historyKey, joinRuleKey, notifyLevel } from '../../pwa/views/trust/room-rules.ts'
import type { DeviceEntry, Member } from '../../pwa/worker/calls.ts'

const member = (userId: string, change: Partial<Member> = {}): Member => ({
  userId,
  name: userId.slice(1, userId.indexOf(':')),
  ambiguous: false,
  avatar: null,
  membership: 'join',
  power: 0,
  external: false,
  ...change,
})
const device = (trust: string): DeviceEntry => ({
  deviceId: trust,
  isOurs: false,
  displayName: null,
  lastSeenTs: null,
  trust,
  enrolment: {},
  fingerprint: '',
})

test('organisations are counted by who can read, ours first', t => {
  const members = [
    member('@a:court.example'),
    member('@b:court.example:8448'),
    member('@c:court.example', { membership: 'invite' }),
    member('@d:clinic.example'),
    member('@e:gone.example', { membership: 'ban' }),
    member('@f:asks.example', { membership: 'knock' }),
  ]
  t.deepEqual(organisationsOf(members, 'clinic.example'), [
    { server: 'clinic.example', isOurs: true, people: 1 },
    { server: 'court.example', isOurs: false, people: 2 },
    { server: 'court.example:8448', isOurs: false, people: 1 },
  ])
  t.is(readersIn(members).length, 4)
})

test('people are found by name or id, whatever the case and the width of letters', t => {
  const members = [member('@amal:clinic.example', { name: 'Amal Nasser' }), member('@jonas:court.example')]
  t.deepEqual(matching(members, '  nAss '), [members[0]!])
  t.deepEqual(matching(members, 'court'), [members[1]!])
  t.deepEqual(matching(members, 'ａｍａｌ'), [members[0]!])
  t.is(matching(members, ''), members)
})

test('a device that nobody vouches for stands out, a changed identity too', t => {
  const [amal, jonas, mira] = [member('@amal:a'), member('@jonas:b'), member('@mira:c')]
  const person = (standing: string, ...trusts: string[]) => ({
    userId: '',
    standing,
    fingerprint: null,
    devices: trusts.map(device),
  })
  const found = findingsOf([
    { member: amal, person: person('verified', 'verified', 'verified') },
    { member: jonas, person: person('pinned', 'cross-signed', 'unsigned', 'unsigned') },
    { member: mira, person: person('verification-lost', 'identity-unaccepted') },
  ])
  t.deepEqual(found, { unconfirmed: [{ member: jonas, devices: 2 }], changed: [mira] })
})

test('a device’s words never say more than is known', t => {
  t.is(deviceKey(device('verified'), false), 'trust.deviceVerified')
  t.is(deviceKey(device('unsigned'), true), 'trust.deviceMineUnsigned')
  t.is(deviceKey(device('a trust of tomorrow'), false), 'trust.deviceUnknown')
  t.deepEqual(enrolmentWords({}), { kind: 'none' })
  t.deepEqual(enrolmentWords({ kind: 'invalid', code: 'PASSKEY_OTHER_ORIGIN' }), {
    kind: 'invalid',
    code: 'PASSKEY_OTHER_ORIGIN',
  })
  t.like(enrolmentWords({ kind: 'enrolled', name: 'Phone', hardwareBound: 'synced' }), {
    name: 'Phone',
    key: 'trust.enrolledSynced',
  })
})

test('an unknown rule is told as the strictest for joining, and as the specification’s default for history', t => {
  t.is(joinRuleKey('org.example.any'), 'trust.joinInvite')
  t.is(joinRuleKey('public'), 'trust.joinPublic')
  t.is(historyKey(''), 'trust.historyShared')
  t.is(historyKey('joined'), 'trust.historyJoined')
})

test('how a room notifies is read from the rules, with or without the set around them', t => {
  const rule = { rule_id: '!r', enabled: true, actions: [] }
  t.is(notifyLevel({}, '!r'), 'all')
  t.is(notifyLevel({ global: { room: [rule] } }, '!r'), 'mentions')
  t.is(notifyLevel({ override: [rule], room: [rule] }, '!r'), 'none')
  t.is(notifyLevel({ room: [{ ...rule, enabled: false }] }, '!r'), 'all')
  t.is(notifyLevel({ room: [{ ...rule, actions: ['notify'] }] }, '!r'), 'all')
  t.is(notifyLevel({ room: [rule] }, '!other'), 'all')
})

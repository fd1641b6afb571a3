/** What the worker of the fixture knows: an organisation with people whose trust stands in every way that there is. */
import type { Verification } from '../../../pwa/e2ee/verification/flow.ts'
import type { RoomEntry } from '../../../pwa/sync/room-entry.ts'
import type { DeviceEntry, Member, PersonTrust, RoomDetail } from '../../../pwa/worker/calls.ts'
import { defaultRules } from '../../../server/push/rules.ts'

export const us = '@amal:clinic.example'
const now = Date.UTC(2026, 10, 21, 9, 0)
const day = 86_400_000

export const notify = { listeners: new Set<(notice: object) => void>() }

export const roomEntry: RoomEntry = {
  roomId: '!discharge:clinic.example',
  membership: 'join',
  isSpace: false,
  directWith: [],
  name: 'Discharge letters',
  avatar: null,
  topic: 'What leaves the house with the patient',
  encrypted: true,
  parents: [],
  children: [],
  joinedCount: 6,
  invitedCount: 1,
  servers: ['clinic.example', 'court.example'],
  guests: 0,
  frozen: null,
  unread: 0,
  mentions: 0,
  markedUnread: false,
  muted: false,
  favourite: false,
  lowPriority: false,
  lastTs: now,
  preview: null,
  waiting: 0,
  failed: 0,
  draft: false,
  blockedBy: ['@mira:court.example', '@new:court.example'],
  invite: null,
  replacedBy: null,
}

const member = (userId: string, name: string, change: Partial<Member> = {}): Member => ({
  userId,
  name,
  ambiguous: false,
  avatar: null,
  membership: 'join',
  power: 0,
  external: !userId.endsWith(':clinic.example'),
  ...change,
})

/** Bidi overrides, and a thousand combining marks. */
const hostile = `\u202eevil\u202c${'a\u0300\u0301\u0302'.repeat(300)}`

const members: Member[] = [
  member(us, 'Amal Nasser', { power: 100 }),
  member('@samir:clinic.example', 'سمير حداد', { power: 50 }),
  member('@guest:clinic.example', hostile, { external: true }),
  member('@jonas:court.example', 'Jonas Weber'),
  member('@jonas2:court.example', 'Jonas Weber', { ambiguous: true }),
  member('@mira:court.example', 'Mira Keller'),
  member('@new:court.example', 'Nina Neu'),
  member('@léa:insurer.example', 'Léa Martin', { membership: 'invite' }),
  member('@asks:insurer.example', 'Paul Petit', { membership: 'knock' }),
  member('@gone:insurer.example', 'Gone Forever', { membership: 'ban' }),
]

const detail: RoomDetail = {
  entry: roomEntry,
  version: '11',
  creators: [us],
  joinRule: 'invite',
  historyVisibility: 'shared',
  canonicalAlias: null,
  pinned: [],
  readUpTo: null,
  powerLevels: { users: { [us]: 100, '@samir:clinic.example': 50 }, invite: 50 },
  ourPower: 100,
  may: {
    send: true,
    invite: true,
    kick: true,
    ban: true,
    redactOthers: true,
    pin: true,
    rename: true,
    setPower: true,
    upgrade: true,
    notifyRoom: true,
  },
}

const device = (deviceId: string, change: Partial<DeviceEntry> = {}): DeviceEntry => ({
  deviceId,
  isOurs: false,
  displayName: 'Chrome, Android',
  lastSeenTs: now - 2 * day,
  trust: 'cross-signed',
  enrolment: { kind: 'none' },
  fingerprint: 'Zq3b TtYk 9mQa LmPx 0aBd Vr8s Kk2w Nn4e Oo5r Pp6t Qq7y',
  ...change,
})

const ourDevices: DeviceEntry[] = [
  device('OURDEVICE', { isOurs: true, trust: 'own', displayName: 'Firefox, Linux' }),
  device('PHONE', {
    trust: 'verified',
    displayName: 'Letro, iPhone',
    enrolment: { kind: 'enrolled', name: 'iPhone', hardwareBound: 'synced', credentialId: 'AA' },
  }),
  device('STRANGE', { trust: 'unsigned', displayName: null, lastSeenTs: now - 40 * day }),
]

const standings: Record<string, string> = {
  '@samir:clinic.example': 'verified',
  '@jonas:court.example': 'pinned',
  '@mira:court.example': 'verification-lost',
  '@guest:clinic.example': 'none',
}

function person(userId: string): PersonTrust {
  const standing = standings[userId] ?? 'pinned'
  return {
    userId,
    standing: userId === us ? 'verified' : standing,
    fingerprint: standing === 'none' ? null : 'aB3d eF6h iJ9k lM2n oP5q rS8t uV1w xY4z 0A7b 2C5d 8E1',
    devices:
      userId === us
        ? ourDevices
        : [
            device('ABCDEFGH', {
              trust: standing === 'verification-lost' ? 'identity-unaccepted' : 'cross-signed',
              enrolment: { kind: 'invalid', code: 'PASSKEY_WRONG_ORIGIN' },
            }),
            ...(userId === '@jonas:court.example' ? [device('UNSIGNED', { trust: 'unsigned' })] : []),
          ],
  }
}

/** The verifications that `?flow=` asks for. */
export const flows: Verification[] = []

// biome-ignore lint/suspicious/noExplicitAny: a table of calls with as many arguments as there are
export const answers: Record<string, (argument: any) => unknown> = {
  room: () => detail,
  rooms: () => [roomEntry],
  members: () => members,
  person,
  profile: (userId: string) => ({
    name: members.find(each => each.userId === userId)?.name ?? null,
    avatar: null,
  }),
  accountData: () => null,
  setAccountData: () => undefined,
  setProfile: () => undefined,
  setState: () => undefined,
  pushRules: () => ({ global: defaultRules(us as never) }),
  setPushRule: () => undefined,
  waiting: () => 2,
  identity: () => ({
    state: new URLSearchParams(location.search).get('identity') ?? 'ready',
    passkeys: ['AAAA'],
    hasRecoveryKey: true,
    otherDevices: false,
    backup: { version: '1', waiting: 3, total: 1200 },
    recoveryCheckedTs: now - 31 * day,
  }),
  checkRecoveryKey: ({ text }: { text: string }) => text === 'EsTa',
  newRecoveryKey: () => ({
    recoveryKey: 'EsTa Kq3b TtYk 9mQa LmPx DaBd Vr8s Kk2w Nn4e Qo5r Pp6t Qq7y',
  }),
  passkeys: () => [
    {
      id: 'AAAA',
      name: 'Ward laptop',
      publicKey: 'pQ',
      createdTs: now - 90 * day,
      lastUsedTs: now,
      synced: false,
    },
  ],
  ourDevices: () => ourDevices,
  offerDeviceLink: () => ({
    linkId: 'l1',
    url: 'https://chat.clinic.example/link#v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    expiresTs: now + 300_000,
  }),
  cancelDeviceLink: () => undefined,
  verifications: () => [...flows],
  verificationQr: () => Uint8Array.from({ length: 150 }, (_, i) => (i * 53 + 11) & 0xff),
  cancelVerification: () => undefined,
  acceptVerification: () => undefined,
  confirmSas: () => undefined,
  startSas: () => undefined,
  requestVerification: () => 'request',
}

export function makeFlow(change: Partial<Verification>): Verification {
  return {
    flowId: 'flow',
    userId: '@samir:clinic.example',
    deviceId: 'ABCDEFGH',
    roomId: roomEntry.roomId,
    requestedByUs: false,
    phase: 'requested',
    methods: ['m.sas.v1', 'm.qr_code.show.v1', 'm.qr_code.scan.v1'],
    sas: { emoji: [0, 13, 31, 36, 44, 49, 63], decimals: [1234, 5678, 9012] },
    cancelCode: null,
    ...change,
  }
}

/** What a sync says of us, and what is believed of what it brings. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import type { Http } from '../../../pwa/api/http.ts'
import type { SyncNotice } from '../../../pwa/sync/ports.ts'
import { PresenceNews } from '../../../pwa/sync/presence.ts'
import { parseSyncAnswer } from '../../../pwa/sync/sync-answer.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'

const jonas = '@jonas:b.example'

function news(
  info: JsonObject | Error,
  status: JsonObject | Error = new ApiError('M_NOT_FOUND', '', { status: 404 }),
) {
  const world = {
    isUsed: true,
    isHidden: false,
    now: 1_000_000,
    info,
    asked: [] as string[],
    told: [] as SyncNotice[],
  }
  const presence = new PresenceNews({
    http: {
      request: async (_method: string, path: string) => {
        world.asked.push(decodeURIComponent(path))
        const answer = path.startsWith('/_letro') ? world.info : status
        if (answer instanceof Error) throw answer
        return answer
      },
    } as unknown as Http,
    store: { ourUserId: '@us:a.example', accountData: () => ({ hide_presence: world.isHidden }) },
    isUsed: async () => world.isUsed,
    tell: notice => void world.told.push(notice),
    clock: () => world.now,
  })
  return { presence, world }
}

const on = { presence: { enabled: true } }
const told = (content: JsonObject) =>
  parseSyncAnswer({
    next_batch: 's',
    presence: { events: [{ type: 'm.presence', sender: jonas, content }] },
  })!.presence

test('a sync says whether somebody is there, and what is not so any more is noticed', async t => {
  const { presence, world } = news(on)
  t.is(await presence.toSay(true), 'offline', 'what the person chose is not here yet')
  t.is(await presence.toSay(false), 'online')
  t.false(await presence.isOutdated())
  world.isUsed = false
  t.true(await presence.isOutdated())
  t.is(await presence.toSay(false), 'unavailable')
  world.isHidden = true
  t.is(await presence.toSay(false), 'offline')
  t.is(world.asked.length, 1)
})

for (const [what, info, say] of [
  ['off', { presence: { enabled: false } }, null],
  ['not named', {}, null],
  ['of another homeserver', new ApiError('M_UNRECOGNIZED', '', { status: 404 }), null],
  ['not known, for the server is away', new ApiError('OFFLINE', ''), 'offline'],
] as const) {
  test(`where presence is ${what}, a sync says ${say ?? 'nothing'}, and nothing is shown`, async t => {
    const { presence, world } = news(info)
    t.is(await presence.toSay(false), say)
    presence.take(told({ presence: 'online' }))
    t.is(await presence.of(jonas), null)
    t.deepEqual(world.told, [])
    t.deepEqual(world.asked, ['/_letro/client/v1/app'])
  })
}

test('who is not told of is asked for once; when the server was away everything is asked anew', async t => {
  const { presence, world } = news(on, { presence: 'offline', last_active_ago: 60_000 })
  await presence.toSay(false)
  t.deepEqual(await presence.of(jonas), { isOnline: false, lastActiveTs: 940_000 })
  await presence.of(jonas)
  t.is(world.asked.filter(path => path.includes(jonas)).length, 1)
  presence.take(told({ presence: 'online', last_active_ago: 10 }))
  t.deepEqual(await presence.of(jonas), { isOnline: true, lastActiveTs: 999_990 })
  presence.forget()
  t.is(await presence.of(jonas), null)
  t.deepEqual(world.told, [
    { kind: 'presence', userIds: [jonas] },
    { kind: 'presence', userIds: [jonas] },
  ])
})

test('a server that tells nonsense of somebody tells nothing', async t => {
  const { presence } = news(on)
  await presence.toSay(false)
  for (const [content, isOnline] of [
    [{ presence: 'asleep' }, undefined],
    [{}, undefined],
    [{ presence: 'offline', last_active_ago: -5 }, false],
    [{ presence: 'offline', last_active_ago: 'long' }, false],
    [{ presence: 'offline', last_active_ago: 1e300 }, false],
  ] as const) {
    presence.take(told(content as JsonObject))
    const shown = await presence.of(jonas)
    t.is(shown?.isOnline, isOnline)
    t.is(shown?.lastActiveTs ?? null, null)
  }
  const events = [null, 7, {}, { type: 'm.presence' }, { type: 'm.presence', sender: 1, content: {} }]
  t.deepEqual(parseSyncAnswer({ next_batch: 's', presence: { events } })!.presence, [])
})

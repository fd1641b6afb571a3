import test from 'ava'
import { filterRoutes } from '../../server/client-api/filter.ts'
import { pushRuleRoutes } from '../../server/client-api/push-rules.ts'
import { readMarkerRoutes } from '../../server/client-api/read-markers.ts'
import { receiptRoutes } from '../../server/client-api/receipts.ts'
import { syncRoutes } from '../../server/client-api/sync.ts'
import { typingRoutes } from '../../server/client-api/typing.ts'
import type { TokenReader } from '../../server/http/authenticate.ts'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import { openStoredFilters } from '../../server/sync/stored-filters.ts'
import type { Answer } from '../support/client.ts'
import { startHttp } from '../support/http.ts'
import { ann, ben, brief, openWorld, text } from './world.ts'

const signedOut = new Set<string>()

/** The token of `@ann:here.test` is `@ann:here.test`. */
const accounts: TokenReader = {
  readToken: token =>
    token.startsWith('@') && !signedOut.has(token)
      ? {
          kind: 'valid',
          requester: { userId: token as UserId, deviceId: 'D' as DeviceId, kind: 'member', tokenHash: '' },
          standing: 'good',
        }
      : { kind: 'unknown' },
}

async function start() {
  const world = await openWorld()
  const filters = openStoredFilters({ store: world.store })
  const http = await startHttp([
    ...syncRoutes({
      accounts,
      onSessionChange: () => () => {},
      sync: world.sync,
      filters,
      signed: async id => ({ pdu: id }),
      clock: Date.now,
    }),
    ...filterRoutes({ accounts, filters }),
    ...pushRuleRoutes({ accounts, push: world.push }),
    ...receiptRoutes({ accounts, readMarkers: world.readMarkers }),
    ...readMarkerRoutes({ accounts, readMarkers: world.readMarkers }),
    ...typingRoutes({ accounts, rooms: world.rooms, typing: world.typing }),
  ])
  const as =
    (userId: UserId) =>
    (method: string, path: string, body?: unknown): Promise<Answer> =>
      http.call(method, `/_matrix/client/v3${path}`, {
        token: userId,
        ...(body === undefined ? {} : { body }),
      })
  return {
    world,
    http,
    as,
    async close() {
      world.close()
      await http.close()
    },
  }
}

const refused = (answer: Answer) => [answer.status, answer.body.errcode]

test('a sync over HTTP: from the beginning, then what is new, with a stored and with an inline filter', async t => {
  const { world, as, close } = await start()
  const call = as(ann)
  const room = await world.room()
  const first = await call('GET', '/sync')
  t.is(first.status, 200)
  t.is(brief(first.body.rooms.join[room].timeline).length, 4)
  const filter = { room: { timeline: { limit: 1 } } }
  const { filter_id: id } = (await call('POST', `/user/${ann}/filter`, filter)).body
  t.deepEqual((await call('GET', `/user/${ann}/filter/${id}`)).body, filter)
  for (const body of ['1', '2']) await world.send(room, text(ann, body))
  for (const named of [id, JSON.stringify(filter)]) {
    const query = new URLSearchParams({ filter: named, since: first.body.next_batch })
    const { body } = await call('GET', `/sync?${query}`)
    t.deepEqual(brief(body.rooms.join[room].timeline), ['2'])
    t.true(body.rooms.join[room].timeline.limited)
  }
  for (const [asked, answered] of [
    ['use_state_after', 'state_after'],
    ['org.matrix.msc4222.use_state_after', 'org.matrix.msc4222.state_after'],
  ] as const) {
    const after = new URLSearchParams({ since: first.body.next_batch, [asked]: 'true' })
    const joined = (await call('GET', `/sync?${after}`)).body.rooms.join[room]
    t.deepEqual(joined[answered], { events: [] })
    t.is(joined.state, undefined)
  }
  const raw = new URLSearchParams({
    filter: JSON.stringify({ event_format: 'federation', room: { timeline: { limit: 1 } } }),
  })
  t.truthy((await call('GET', `/sync?${raw}`)).body.rooms.join[room].timeline.events[0].pdu)
  await close()
})

test('a waiting sync over HTTP wakes, and a client that hangs up leaves no waiter', async t => {
  const { world, http, as, close } = await start()
  const room = await world.room()
  const since = (await as(ann)('GET', '/sync')).body.next_batch
  const waiting = as(ann)('GET', `/sync?since=${since}&timeout=20000`)
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  await world.send(room, text(ann, 'x'))
  const answer = await waiting
  t.deepEqual(brief(answer.body.rooms.join[room].timeline), ['x'])
  const controller = new AbortController()
  const lost = http.call('GET', `/_matrix/client/v3/sync?since=${answer.body.next_batch}&timeout=20000`, {
    token: ann,
    signal: controller.signal,
  })
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  controller.abort()
  await t.throwsAsync(lost)
  while (world.sync.waiting > 0) await new Promise(resolve => setTimeout(resolve, 5))
  await close()
  t.pass()
})

test('who is signed out while a sync waits gets nothing more', async t => {
  const { world, as, close } = await start()
  const room = await world.room()
  const dan = '@dan:here.test' as UserId
  await world.join(room, dan)
  const since = (await as(dan)('GET', '/sync')).body.next_batch
  const waiting = as(dan)('GET', `/sync?since=${since}&timeout=20000`)
  while (world.sync.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5))
  signedOut.add(dan)
  await world.send(room, text(ann, 'not for dan'))
  t.deepEqual(refused(await waiting), [401, 'M_UNKNOWN_TOKEN'])
  await close()
})

const wrongSyncs: [query: string, errcode: string][] = [
  ['since=yesterday', 'M_INVALID_PARAM'],
  ['timeout=soon', 'M_INVALID_PARAM'],
  ['timeout=-1', 'M_INVALID_PARAM'],
  ['full_state=1', 'M_INVALID_PARAM'],
  ['set_presence=asleep', 'M_INVALID_PARAM'],
  ['filter=nothing', 'M_INVALID_PARAM'],
  ['filter=%7Bnot', 'M_NOT_JSON'],
  ['filter=%7B%22room%22%3A1%7D', 'M_BAD_JSON'],
]

test('a wrong query is refused by the name of its parameter', async t => {
  const { as, close } = await start()
  for (const [query, errcode] of wrongSyncs) {
    const answer = await as(ann)('GET', `/sync?${query}`)
    t.deepEqual(refused(answer), [400, errcode], query)
    if (errcode === 'M_INVALID_PARAM')
      t.true(answer.body.error.includes(query.split('=')[0]!), answer.body.error)
  }
  await close()
})

test('filters of someone else stay theirs', async t => {
  const { as, close } = await start()
  t.deepEqual(refused(await as(ben)('POST', `/user/${ann}/filter`, {})), [403, 'M_FORBIDDEN'])
  t.deepEqual(refused(await as(ben)('GET', `/user/${ann}/filter/x`)), [403, 'M_FORBIDDEN'])
  t.deepEqual(refused(await as(ann)('GET', `/user/${ann}/filter/x`)), [404, 'M_NOT_FOUND'])
  await close()
})

test('push rules are read, added, placed, changed and deleted over HTTP', async t => {
  const { as, close } = await start()
  const call = as(ann)
  const rule = '/pushrules/global/override/mine'
  const ids = async () =>
    (await call('GET', '/pushrules/')).body.global.override
      .slice(1, 3)
      .map((each: { rule_id: string }) => each.rule_id)
  t.is((await call('PUT', rule, { actions: ['notify', 'coalesce'], conditions: [] })).status, 200)
  t.deepEqual((await call('GET', rule)).body, {
    rule_id: 'mine',
    default: false,
    enabled: true,
    actions: ['notify', 'coalesce'],
    conditions: [],
  })
  await call('PUT', '/pushrules/global/override/second?after=mine', { actions: [] })
  t.deepEqual(await ids(), ['mine', 'second'])
  await call('PUT', '/pushrules/global/override/second?before=mine', { actions: [] })
  t.deepEqual(await ids(), ['second', 'mine'])
  t.deepEqual((await call('GET', `${rule}/enabled`)).body, { enabled: true })
  t.is((await call('PUT', `${rule}/enabled`, { enabled: false })).status, 200)
  t.deepEqual((await call('GET', `${rule}/enabled`)).body, { enabled: false })
  const master = '/pushrules/global/override/.m.rule.master'
  t.is((await call('PUT', `${master}/enabled`, { enabled: true })).status, 200)
  t.is((await call('PUT', `${master}/actions`, { actions: [{ set_tweak: 'highlight' }] })).status, 200)
  t.deepEqual((await call('GET', `${master}/actions`)).body, { actions: [{ set_tweak: 'highlight' }] })
  t.is((await call('DELETE', rule)).status, 200)
  t.deepEqual(refused(await call('GET', rule)), [404, 'M_NOT_FOUND'])
  t.is((await call('GET', '/pushrules/global/')).body.underride.length, 5)
  t.is((await as(ben)('GET', '/pushrules/')).body.global.override[0].enabled, false)
  await close()
})

const wrongRules: [method: string, path: string, body: unknown, status: number, errcode: string][] = [
  ['PUT', 'override/.mine', { actions: [] }, 400, 'M_INVALID_PARAM'],
  ['PUT', 'override/a%2Fb', { actions: [] }, 400, 'M_INVALID_PARAM'],
  ['PUT', 'override/a%5Cb', { actions: [] }, 400, 'M_INVALID_PARAM'],
  ['PUT', 'elsewhere/a', { actions: [] }, 400, 'M_INVALID_PARAM'],
  ['PUT', 'override/a', {}, 400, 'M_MISSING_PARAM'],
  ['PUT', 'override/a', { actions: ['sing'] }, 400, 'M_INVALID_PARAM'],
  ['PUT', 'override/a', { actions: 'notify' }, 400, 'M_BAD_JSON'],
  ['PUT', 'override/a', { actions: [], conditions: [{}] }, 400, 'M_BAD_JSON'],
  [
    'PUT',
    'override/a',
    { actions: [], conditions: [{ kind: 'event_match', key: 'type' }] },
    400,
    'M_MISSING_PARAM',
  ],
  [
    'PUT',
    'override/a',
    { actions: [], conditions: [{ kind: 'event_match', key: 'type', pattern: 1 }] },
    400,
    'M_BAD_JSON',
  ],
  ['PUT', 'content/a', { actions: [] }, 400, 'M_MISSING_PARAM'],
  ['PUT', 'override/a?before=nobody', { actions: [] }, 400, 'M_UNKNOWN'],
  ['DELETE', 'override/nobody', undefined, 404, 'M_NOT_FOUND'],
  ['DELETE', 'override/.m.rule.master', undefined, 400, 'M_INVALID_PARAM'],
  ['PUT', 'override/nobody/enabled', { enabled: true }, 404, 'M_NOT_FOUND'],
  ['PUT', 'override/.m.rule.master/enabled', {}, 400, 'M_MISSING_PARAM'],
  ['PUT', 'override/.m.rule.master/enabled', { enabled: 'yes' }, 400, 'M_BAD_JSON'],
  ['PUT', 'override/.m.rule.master/actions', {}, 400, 'M_MISSING_PARAM'],
]

test('a wrong push rule is refused and changes nothing', async t => {
  const { as, close } = await start()
  const before = (await as(ann)('GET', '/pushrules/')).body
  for (const [method, path, body, status, errcode] of wrongRules)
    t.deepEqual(
      refused(await as(ann)(method, `/pushrules/global/${path}`, body)),
      [status, errcode],
      `${method} ${path}`,
    )
  t.deepEqual((await as(ann)('GET', '/pushrules/')).body, before)
  await close()
})

test('receipts, read markers and typing over HTTP', async t => {
  const { world, as, close } = await start()
  const room = await world.room()
  await world.join(room, ben)
  const event = await world.send(room, text(ann, 'x'))
  const path = `/rooms/${encodeURIComponent(room)}`
  const receipt = (type: string, body?: unknown) =>
    as(ben)('POST', `${path}/receipt/${type}/${encodeURIComponent(event)}`, body)
  t.is((await receipt('m.read', {})).status, 200)
  t.is((await receipt('m.read.private')).status, 200)
  t.is((await receipt('m.fully_read')).status, 200)
  t.is((await receipt('m.read', { thread_id: 'main' })).status, 200)
  t.deepEqual(refused(await receipt('m.seen')), [400, 'M_INVALID_PARAM'])
  for (const body of [{ thread_id: '' }, { thread_id: 1 }, { thread_id: 'x' }])
    t.deepEqual(refused(await receipt('m.read', body)), [400, 'M_INVALID_PARAM'])
  t.deepEqual(refused(await receipt('m.fully_read', { thread_id: 'main' })), [400, 'M_INVALID_PARAM'])
  t.is(
    (await as(ben)('POST', `${path}/read_markers`, { 'm.fully_read': event, 'm.read': event })).status,
    200,
  )
  t.deepEqual(refused(await as(ben)('POST', `${path}/read_markers`, { 'm.read': 'x' })), [
    400,
    'M_INVALID_PARAM',
  ])
  const typing = (who: UserId, of: UserId, body: unknown) => as(who)('PUT', `${path}/typing/${of}`, body)
  t.is((await typing(ben, ben, { typing: true, timeout: 30_000 })).status, 200)
  t.deepEqual(refused(await typing(ben, ann, { typing: true })), [403, 'M_FORBIDDEN'])
  t.deepEqual(refused(await typing(ben, ben, {})), [400, 'M_MISSING_PARAM'])
  const cam = '@cam:here.test' as UserId
  t.deepEqual(refused(await typing(cam, cam, { typing: true })), [403, 'M_FORBIDDEN'])
  const { body } = await as(ann)('GET', '/sync')
  const types = body.rooms.join[room].ephemeral.events.map((each: { type: string }) => each.type)
  t.deepEqual(types, ['m.receipt', 'm.receipt', 'm.typing'])
  t.is(body.rooms.join[room].ephemeral.events[0].content[event]['m.read.private'], undefined)
  await close()
})

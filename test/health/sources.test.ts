/** Peers, people, rooms and the process: what is found, and when. */
import test from 'ava'
import { openAudit } from '../../server/accounts/audit.ts'
import { openFrozenRooms } from '../../server/health/frozen.ts'
import { openPeerQueues } from '../../server/health/peer-queues.ts'
import { openPeopleHealth } from '../../server/health/people.ts'
import { openProcessHealth } from '../../server/health/process.ts'
import type { OutboundStatus } from '../../server/peers/outbound.ts'
import type { Pin } from '../../server/peers/pin.ts'
import {
  type AccountRow,
  accountTable,
  externalTable,
  frozenRooms,
  passkeyTable,
} from '../../server/store/catalogue.ts'
import { dayMs, hourMs, openTestStore, start } from './watched.ts'

function queueOf(status: OutboundStatus, more: object = {}) {
  const peer = {
    serverName: 'court.example',
    direction: 'both',
    transport: 'https',
    suspended: false,
    ...more,
  }
  return openPeerQueues({ pins: () => [{ peer } as unknown as Pin], status: async () => status })
}

for (const { name, waitedMs, lastError, length = 5, more, found } of [
  { name: 'nothing waits', waitedMs: 0, length: 0, found: [] },
  { name: 'something waits, and no attempt failed', waitedMs: 5 * hourMs, found: [] },
  { name: 'it is away for minutes', waitedMs: hourMs / 2, lastError: 'refused', found: [] },
  {
    name: 'it is away for an hour',
    waitedMs: hourMs,
    lastError: 'refused',
    found: ['peer.unreachable warning'],
  },
  { name: 'it is away for a day', waitedMs: dayMs, lastError: 'refused', found: ['peer.unreachable alarm'] },
  { name: 'much waits', waitedMs: 0, length: 10_000, found: ['peer.queue-long warning'] },
  { name: 'it is suspended', waitedMs: dayMs, lastError: 'x', more: { suspended: true }, found: [] },
  { name: 'it gets bundles', waitedMs: dayMs, lastError: 'x', more: { transport: 'bundle' }, found: [] },
]) {
  test(`a peer: ${name}: ${found.join() || 'nothing to say'}`, async t => {
    const status = { length, oldestTs: start - waitedMs, ...(lastError === undefined ? {} : { lastError }) }
    const findings = await queueOf(status, more).source(start)
    t.deepEqual(
      findings.map(({ code, severity }) => `${code} ${severity}`),
      found,
    )
    for (const { subject } of findings) t.is(subject, 'court.example')
  })
}

test('a server without peers has no reading of queues; one that only verifies is none', async t => {
  t.is(await openPeerQueues({ pins: () => [], status: async () => ({ length: 0 }) }).reading(start), null)
  t.is(await queueOf({ length: 0 }, { direction: 'verify-only' }).reading(start), null)
  t.deepEqual(await queueOf({ length: 2, oldestTs: 1 }).reading(start), {
    peers: [{ server_name: 'court.example', transport: 'https', suspended: false, length: 2, oldest_ts: 1 }],
  })
})

async function peopled(accounts: Record<string, Partial<AccountRow>>, passkeys: Record<string, number>) {
  const store = await openTestStore()
  await store.transact('test', tx => {
    for (const [userId, account] of Object.entries(accounts)) {
      tx.put(accountTable.key(userId), { kind: 'member', createdTs: start, ...account })
      if (account.expiresTs !== undefined) tx.put(externalTable.key(userId), account.expiresTs)
      for (let i = 0; i < (passkeys[userId] ?? 0); i++) tx.put(passkeyTable.key(userId, `k${i}`), {} as never)
    }
  })
  const { source, reading } = openPeopleHealth(store)
  return {
    store,
    reading,
    findings: async () => (await source(start)).map(({ code, facts }) => [code, facts]),
  }
}

test('two administrators with two passkeys each: nothing to say', async t => {
  const { findings } = await peopled(
    { '@a:x': { kind: 'administrator' }, '@b:x': { kind: 'administrator' } },
    { '@a:x': 2, '@b:x': 3 },
  )
  t.deepEqual(await findings(), [])
})

test('one administrator, and administrators with a single passkey, are warnings; who is gone or locked does not count', async t => {
  const { findings, reading } = await peopled(
    {
      '@a:x': { kind: 'administrator' },
      '@b:x': { kind: 'administrator', deactivatedTs: 1 },
      '@c:x': { kind: 'administrator', locked: true },
      '@d:x': {},
    },
    { '@a:x': 1, '@b:x': 1, '@d:x': 1 },
  )
  t.deepEqual(await findings(), [
    ['administrators.only-one', {}],
    ['administrators.one-passkey', { administrators: 1 }],
  ])
  t.like(await reading(start), { people: 2, administrators: 1, administrators_with_one_passkey: 1 })
})

test('many people are counted whole, and again once the audit has grown', async t => {
  const accounts = Object.fromEntries(Array.from({ length: 1_234 }, (_, i) => [`@p${i}:x`, {}]))
  const { reading, store } = await peopled(accounts, {})
  t.like(await reading(start), { people: 1_234, administrators: 0 })
  const audit = openAudit(store, () => start)
  await store.transact('test', async tx => {
    tx.put(accountTable.key('@root:x'), { kind: 'administrator', createdTs: start })
    await audit.record(tx, { actor: 'test', action: 'account.kind', target: '@root:x' })
  })
  t.like(await reading(start), { people: 1_235, administrators: 1 })
})

test('external people who end within two weeks are counted, and never named', async t => {
  const { findings } = await peopled(
    {
      '@soon:x': { kind: 'external', expiresTs: start + 13 * dayMs },
      '@sooner:x': { kind: 'external', expiresTs: start + 2 * dayMs },
      '@later:x': { kind: 'external', expiresTs: start + 15 * dayMs },
    },
    {},
  )
  t.deepEqual(await findings(), [['external.ends-soon', { people: 2, first_ts: start + 2 * dayMs }]])
})

test('rooms that stand still are counted, and never named', async t => {
  const store = await openTestStore()
  const { source, reading } = openFrozenRooms(store)
  t.deepEqual([await source(start), await reading(start)], [[], { frozen: 0 }])
  await store.transact('test', tx => {
    for (const room of [1, 2]) tx.put(frozenRooms.key(room), { server: 's.example' } as never)
  })
  t.deepEqual(await source(start), [{ code: 'rooms.frozen', severity: 'warning', facts: { rooms: 2 } }])
})

test('a worker that dies three times within an hour is found, and forgotten when it lives', async t => {
  const at = { now: 0, deaths: 0 }
  const health = openProcessHealth({ monotonic: () => at.now, workerDeaths: () => at.deaths })
  t.teardown(() => health.close())
  const look = async (passMs: number, deaths = 0) => {
    at.now += passMs
    at.deaths += deaths
    return (await health.source(start)).map(({ facts }) => facts['deaths'])
  }
  t.deepEqual(await look(hourMs / 10, 2), [])
  t.deepEqual(await look(hourMs / 10, 1), [3])
  t.deepEqual(await look(hourMs / 10), [3])
  t.deepEqual(await look(2 * hourMs), [])
  t.deepEqual(await look(hourMs, 1), [])
})

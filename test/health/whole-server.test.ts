/** Health of a whole server, as an administrator and their clients see it. */
import test from 'ava'
import { adminToken, startAdministered } from '../support/administered.ts'

const path = '/_letro/admin/v1/health'

test('an administrator sees what was found and what was read', async t => {
  const server = await startAdministered(t)
  const root = await server.register('root')
  await server.call('PUT', `/_letro/admin/v1/people/${encodeURIComponent(root.userId)}/kind`, {
    token: adminToken,
    body: { kind: 'administrator' },
  })
  await server.app.runDuties()
  const { status, body } = await root.call('GET', path)
  t.is(status, 200)
  const codes = body.findings.map(({ code }: { code: string }) => code)
  t.true(codes.includes('administrators.only-one'))
  const { disk, memory, store, writes, people, clock, rooms, process } = body.readings
  t.true(disk.size_bytes > disk.available_bytes && disk.available_bytes > 0)
  t.true(memory.total_bytes > 0 && memory.server_bytes > 0)
  t.true(store.size_bytes > 0 && writes.last_ms > 0)
  t.like(people, { people: 1, administrators: 1, administrators_with_one_passkey: 0, external: 0 })
  t.like(clock, { jumps: 0, in_doubt: false })
  t.deepEqual(rooms, { frozen: 0 })
  t.is(process.worker_deaths, 0)
})

test('what is found reaches every administrator, once', async t => {
  const server = await startAdministered(t)
  const root = await server.register('root')
  await server.call('PUT', `/_letro/admin/v1/people/${encodeURIComponent(root.userId)}/kind`, {
    token: adminToken,
    body: { kind: 'administrator' },
  })
  await server.app.runDuties()
  await server.restart()
  await server.app.runDuties()
  const { body } = await root.call(
    'GET',
    `/_matrix/client/v3/user/${encodeURIComponent(root.userId)}/account_data/org.letro.administration`,
  )
  const notices = body.notices.filter(
    ({ finding }: { finding?: { code: string } }) => finding?.code === 'administrators.only-one',
  )
  t.is(notices.length, 1)
  t.like(notices[0], { action: 'health.found', target: 'localhost', finding: { severity: 'warning' } })
  const log = await root.call('GET', `${path}/log`)
  t.true(log.body.entries.some(({ code }: { code: string }) => code === 'administrators.only-one'))
})

test('several findings of one look are told together, none in place of another', async t => {
  const server = await startAdministered(t)
  const root = await server.register('root')
  await server.call('PUT', `/_letro/admin/v1/people/${encodeURIComponent(root.userId)}/kind`, {
    token: adminToken,
    body: { kind: 'administrator' },
  })
  const { body: health } = await root.call('GET', path)
  const { body } = await root.call(
    'GET',
    `/_matrix/client/v3/user/${encodeURIComponent(root.userId)}/account_data/org.letro.administration`,
  )
  const told = body.notices.map(({ finding }: { finding?: { code: string } }) => finding?.code)
  const serious = health.findings.filter(({ severity }: { severity: string }) => severity !== 'note')
  t.true(serious.length > 1)
  t.deepEqual(told.toSorted(), serious.map(({ code }: { code: string }) => code).toSorted())
})

test('nobody else learns how the server is', async t => {
  const server = await startAdministered(t)
  const alice = await server.register('alice')
  t.is((await alice.call('GET', path)).status, 403)
  t.is((await server.call('GET', path)).status, 401)
  t.is((await alice.call('GET', `${path}/log`)).status, 403)
})

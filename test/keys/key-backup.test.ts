import test from 'ava'
import { type BackupSession, parseBackupRooms, removeBackups } from '../../server/keys/key-backup.ts'
import type { RoomId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { backedUpSessionTable, backupRemovalTable, keyBackupTable } from '../../server/store/catalogue.ts'
import { alice, bob, openDirectory, room1, room2 } from './people.ts'

const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'
const backup = { algorithm, auth_data: { public_key: 'abcdefg' } }

const data = (index = 0, forwarded = 0, verified = false, mark = 'x') => ({
  first_message_index: index,
  forwarded_count: forwarded,
  is_verified: verified,
  session_data: { ephemeral: 'e', ciphertext: mark, mac: 'm' },
})
const session = (roomId: RoomId, sessionId: string, ...more: Parameters<typeof data>): BackupSession => ({
  roomId,
  sessionId,
  data: data(...more),
})

async function open(options: { slow?: boolean } = {}) {
  const directory = await openDirectory(options)
  return { directory, store: directory.store, backups: directory.keys.backups }
}

async function all(portions: Promise<AsyncIterable<readonly BackupSession[]>>): Promise<string[]> {
  const list: string[] = []
  for await (const portion of await portions) {
    for (const { roomId, sessionId, data } of portion) {
      list.push(`${roomId} ${sessionId} ${data.session_data['ciphertext']}`)
    }
  }
  return list
}

for (const slow of [false, true]) {
  const how = slow ? ' (slow store)' : ''

  test(`sessions go in and come out: all, of one room, one${how}`, async t => {
    const { backups } = await open({ slow })
    const version = await backups.create(alice, backup)
    t.is(version, '1')
    const state = await backups.put(alice, version, [
      session(room2, 'b', 0, 0, false, '3'),
      session(room1, 'b', 0, 0, false, '2'),
      session(room1, 'a', 0, 0, false, '1'),
    ])
    t.deepEqual(state, { etag: '1', count: 3 })
    t.deepEqual(await all(backups.sessions(alice, version)), [`${room1} a 1`, `${room1} b 2`, `${room2} b 3`])
    t.deepEqual(await all(backups.sessions(alice, version, { roomId: room1 })), [
      `${room1} a 1`,
      `${room1} b 2`,
    ])
    t.deepEqual(await backups.session(alice, version, room2, 'b'), data(0, 0, false, '3'))
    t.deepEqual(await backups.info(alice), { ...backup, version: '1', etag: '1', count: 3 })
  })

  test(`ten thousand sessions at once, and away again${how}`, async t => {
    const { backups, store } = await open({ slow })
    const version = await backups.create(alice, backup)
    const sessions = Array.from({ length: 10_000 }, (_, i) => session(room1, `s${i}`))
    t.is((await backups.put(alice, version, sessions)).count, 10_000)
    t.is((await all(backups.sessions(alice, version))).length, 10_000)
    t.is((await backups.put(alice, version, sessions)).count, 10_000)
    await backups.remove(alice, version)
    const [rows, removals] = await store.read(view =>
      Promise.all([view.range(backedUpSessionTable.under()), view.range(backupRemovalTable.under())]),
    )
    t.deepEqual([rows.length, removals.length], [0, 0])
  })
}

const better: [string, BackupSession, BackupSession, boolean][] = [
  ['verified', session(room1, 's', 0, 0, false), session(room1, 's', 9, 9, true), true],
  ['not verified', session(room1, 's', 9, 9, true), session(room1, 's', 0, 0, false), false],
  ['a lower index', session(room1, 's', 5, 0), session(room1, 's', 4, 9), true],
  ['a higher index', session(room1, 's', 4, 9), session(room1, 's', 5, 0), false],
  ['fewer forwards', session(room1, 's', 4, 2), session(room1, 's', 4, 1), true],
  ['more forwards', session(room1, 's', 4, 1), session(room1, 's', 4, 2), false],
  ['the same', session(room1, 's', 4, 1), session(room1, 's', 4, 1, false, 'other'), false],
]
for (const [what, first, second, replaced] of better) {
  test(`of two copies of a session the better one is kept: ${what}`, async t => {
    const { backups } = await open()
    const version = await backups.create(alice, backup)
    await backups.put(alice, version, [first])
    const state = await backups.put(alice, version, [second])
    t.deepEqual(await backups.session(alice, version, room1, 's'), (replaced ? second : first).data)
    t.deepEqual(state, { etag: replaced ? '2' : '1', count: 1 })
  })
}

test('only the newest version takes sessions; the refusal names it', async t => {
  const { backups } = await open()
  await backups.create(alice, backup)
  const second = await backups.create(alice, backup)
  const error = await t.throwsAsync(backups.put(alice, '1', [session(room1, 's')]), {
    code: 'M_WRONG_ROOM_KEYS_VERSION',
  })
  t.like(error, { fields: { current_version: second } })
  await t.throwsAsync(backups.put(alice, '7', []), { code: 'M_NOT_FOUND' })
  // The older one can still be read, and is the newest again when the other is gone.
  t.like(await backups.info(alice, '1'), { version: '1', count: 0 })
  await backups.remove(alice, second)
  t.like(await backups.info(alice), { version: '1' })
  t.is((await backups.put(alice, '1', [session(room1, 's')])).count, 1)
})

test('a deleted version stays deleted, and its number is never given again', async t => {
  const { backups } = await open()
  const first = await backups.create(alice, backup)
  await backups.remove(alice, first)
  await backups.remove(alice, first)
  await t.throwsAsync(backups.info(alice), { code: 'M_NOT_FOUND' })
  await t.throwsAsync(backups.info(alice, first), { code: 'M_NOT_FOUND' })
  await t.throwsAsync(backups.sessions(alice, first), { code: 'M_NOT_FOUND' })
  await t.throwsAsync(backups.remove(alice, '2'), { code: 'M_NOT_FOUND' })
  t.is(await backups.create(alice, backup), '2')
})

test('a removal that was broken off is finished when the server opens', async t => {
  const { directory, backups, store } = await open()
  const version = await backups.create(alice, backup)
  await backups.put(alice, version, [session(room1, 's')])
  // As if the process had died before the sessions were removed.
  await store.transact(alice, tx => removeBackups(tx, alice))
  await t.throwsAsync(backups.info(alice), { code: 'M_NOT_FOUND' })
  await directory.reopen()
  t.deepEqual(await store.read(view => view.range(backedUpSessionTable.under())), [])
})

test('sessions are deleted one, by room, all; count and etag follow', async t => {
  const { backups } = await open()
  const version = await backups.create(alice, backup)
  await backups.put(alice, version, [
    session(room1, 'a'),
    session(room1, 'ab'),
    session(room1, 'c'),
    session(room2, 'a'),
    session(room2, 'b'),
  ])
  t.is((await backups.removeSessions(alice, version, { roomId: room1, sessionId: 'a' })).count, 4)
  t.deepEqual(await all(backups.sessions(alice, version, { roomId: room1 })), [
    `${room1} ab x`,
    `${room1} c x`,
  ])
  t.is((await backups.removeSessions(alice, version, { roomId: room1 })).count, 2)
  const emptied = await backups.removeSessions(alice, version, {})
  t.deepEqual(emptied, { count: 0, etag: '4' })
  t.deepEqual(await backups.removeSessions(alice, version, {}), emptied)
})

test('auth_data can be changed, the algorithm cannot, and the version in the body must be the one in the path', async t => {
  const { backups } = await open()
  const version = await backups.create(alice, backup)
  await backups.update(alice, version, { ...backup, version, auth_data: { public_key: 'new' } })
  t.like(await backups.info(alice), { auth_data: { public_key: 'new' } })
  await t.throwsAsync(backups.update(alice, version, { ...backup, algorithm: 'other' }), {
    code: 'M_INVALID_PARAM',
  })
  await t.throwsAsync(backups.update(alice, version, { ...backup, version: '2' }), {
    code: 'M_INVALID_PARAM',
  })
  await t.throwsAsync(backups.update(alice, '2', backup), { code: 'M_NOT_FOUND' })
})

test('a backup is its owner’s alone', async t => {
  const { backups } = await open()
  await backups.create(alice, backup)
  await t.throwsAsync(backups.info(bob), { code: 'M_NOT_FOUND' })
  await t.throwsAsync(backups.sessions(bob, '1'), { code: 'M_NOT_FOUND' })
})

const refusals: [string, string, JsonObject][] = [
  ['no rooms', 'M_MISSING_PARAM', {}],
  ['rooms that are a list', 'M_BAD_JSON', { rooms: [] }],
  ['a room that is none', 'M_INVALID_PARAM', { rooms: { x: { sessions: {} } } }],
  ['no sessions', 'M_MISSING_PARAM', { rooms: { [room1]: {} } }],
  ['a session that is no object', 'M_BAD_JSON', { rooms: { [room1]: { sessions: { s: 1 } } } }],
  [
    'no index',
    'M_MISSING_PARAM',
    { rooms: { [room1]: { sessions: { s: { ...data(), first_message_index: undefined } } } } },
  ],
  ['a negative index', 'M_BAD_JSON', { rooms: { [room1]: { sessions: { s: data(-1) } } } }],
  [
    'is_verified that is a string',
    'M_BAD_JSON',
    { rooms: { [room1]: { sessions: { s: { ...data(), is_verified: 'yes' } } } } },
  ],
  [
    'session_data that is a string',
    'M_BAD_JSON',
    { rooms: { [room1]: { sessions: { s: { ...data(), session_data: 'x' } } } } },
  ],
  [
    'too large a session',
    'M_TOO_LARGE',
    { rooms: { [room1]: { sessions: { s: data(0, 0, false, 'x'.repeat(40_000)) } } } },
  ],
]
for (const [what, code, body] of refusals) {
  test(`an upload of sessions is refused: ${what}`, t => {
    t.throws(() => parseBackupRooms(body), { code })
  })
}

for (const [what, code, body] of [
  ['no algorithm', 'M_MISSING_PARAM', { auth_data: {} }],
  ['an algorithm that is a number', 'M_INVALID_PARAM', { algorithm: 1, auth_data: {} }],
  ['no auth_data', 'M_MISSING_PARAM', { algorithm }],
  ['auth_data that is a string', 'M_BAD_JSON', { algorithm, auth_data: 'x' }],
  ['too large auth_data', 'M_TOO_LARGE', { algorithm, auth_data: { x: 'x'.repeat(70_000) } }],
] as const) {
  test(`a backup version is refused: ${what}`, async t => {
    const { backups } = await open()
    await t.throwsAsync(backups.create(alice, body), { code })
  })
}

test('backup versions are numbered to an end, and the current one is found behind many deleted ones', async t => {
  const { store, backups } = await open()
  const first = await backups.create(alice, backup)
  await store.transact(alice, tx => {
    for (let version = 2; version <= 999; version++) {
      tx.put(keyBackupTable.key(alice, version), {
        algorithm,
        authData: {},
        etag: 0,
        count: 0,
        deleted: true,
      })
    }
  })
  t.is((await backups.info(alice)).version, first)
  t.is(await backups.create(alice, backup), '1000')
  await t.throwsAsync(backups.create(alice, backup), { code: 'M_TOO_LARGE' })
})

test('a backup that is being written when its owner’s account ends does not come back', async t => {
  const { store, backups } = await open({ slow: true })
  const version = await backups.create(alice, backup)
  const sessions = Array.from({ length: 50 }, (_, i) => session(room1, `s${i}`))
  await Promise.allSettled([
    backups.put(alice, version, sessions),
    store.transact(alice, tx => removeBackups(tx, alice)),
  ])
  await t.throwsAsync(backups.info(alice), { code: 'M_NOT_FOUND' })
})

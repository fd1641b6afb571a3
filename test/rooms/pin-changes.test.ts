/** Pins that come and go: rooms stop, go on, and their server ACLs follow, whatever fails or ends in the middle. */
import test from 'ava'
import type { RoomId, ServerName } from '../../server/protocol/ids.ts'
import { firstServerAcl, keepServerAcls } from '../../server/rooms/acl-keeper.ts'
import { openRooms } from '../../server/rooms/open-rooms.ts'
import { followedPins, frozenRooms } from '../../server/store/catalogue.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { FailingEngine } from './failing-engine.ts'
import { openRoom, person, say, sharedRoom } from './federated-room.ts'
import { peersOf, type Site, World } from './two-servers.ts'

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setImmediate(resolve))
}

/** A room of A's and B's, over a store of A's that can fail. */
async function two() {
  const world = new World()
  const engine = new FailingEngine()
  const a = await world.add('a.test', { store: await openGroupCommit(engine, { retryMs: 1 }) })
  const b = await world.add('bb.test')
  return { world, engine, a, b, roomId: await sharedRoom(a, b) }
}

/** As after a restart, with the pins of now and nobody who tells of a change. */
async function restarted(world: World, { store, name, pins }: Site) {
  const told: RoomId[] = []
  const rooms = await openRooms({
    store,
    serverName: name,
    clock: world.clock,
    randomBytes: size => new Uint8Array(size),
    signer: { keyId: 'ed25519:1' as never, sign: () => new Uint8Array(64) },
    peers: peersOf(name, pins),
  })
  rooms.onFrozen(roomId => void told.push(roomId))
  return { rooms, told }
}

const frozenRows = ({ store }: Site) => store.read(view => view.range(frozenRooms.under()))
const followed = async ({ store }: Site, task: string) =>
  (await store.read(view => view.range(followedPins.under(task)))).map(({ value }) => value)

test('a room that turns out to stand still when it is loaded says so, and keeps it', async t => {
  const { world, a, b, roomId } = await two()
  a.pins.delete(b.name)
  const again = await restarted(world, a)
  t.like((await again.rooms.view(roomId))!.frozen, { server: b.name })
  await until(async () => again.told.length === 1)
  t.deepEqual(again.told, [roomId])
  t.like((await frozenRows(a))[0]!.value, { server: b.name })
  // And the other way: pinned again while the server was away.
  a.pins.set(b.name, { mode: 'verify-only' })
  const later = await restarted(world, a)
  t.is((await later.rooms.view(roomId))!.frozen, null)
  await until(async () => later.told.length === 1)
  t.deepEqual(await frozenRows(a), [])
})

test('a crash between a pin that went and its rooms: the next start stops them, asked for or not', async t => {
  const { world, a, b } = await two()
  a.changed(b.name)
  await until(async () => (await followed(a, 'standstill')).join() === 'known')
  a.pins.delete(b.name)
  await restarted(world, a)
  await until(async () => (await frozenRows(a)).length === 1)
  await until(async () => (await followed(a, 'standstill')).length === 0)
  t.like((await frozenRows(a))[0]!.value, { server: b.name })
})

test('a store that fails while rooms follow a pin: they do once it works again', async t => {
  const { engine, a, b, roomId } = await two()
  a.pins.delete(b.name)
  engine.fails = 'before'
  a.changed(b.name)
  await until(async () => engine.fails === null)
  // Any write that goes well.
  const other = await openRoom(a)
  await a.rooms.send({ roomId: other, ...say(a, 'ann', 'hello') })
  await until(async () => (await frozenRows(a)).length === 1)
  t.like((await a.rooms.view(roomId))!.frozen, { server: b.name })
})

/** Pins by full name, as the ACL keeper sees them. */
function pinsOf(pinned: Set<string>) {
  const listeners: ((server: ServerName) => void)[] = []
  return {
    all: () => [...pinned].map(serverName => ({ serverName }) as never),
    get: () => undefined,
    mayReceiveFrom: (server: ServerName) => pinned.has(server),
    maySendTo: (server: ServerName) => pinned.has(server),
    isKnown: (server: ServerName) => pinned.has(server),
    onChange: (listener: (server: ServerName) => void) => void listeners.push(listener),
    changed: (server: string) => {
      for (const listener of listeners) listener(server as ServerName)
    },
  }
}

const report = () => {}

test('the ACL of a new room names the pinned servers, and follows them', async t => {
  const world = new World()
  const engine = new FailingEngine()
  const a = await world.add('a.test', { store: await openGroupCommit(engine, { retryMs: 1 }) })
  const b = await world.add('bb.test')
  const pinned = new Set<string>(['bb.test:8448'])
  const peers = pinsOf(pinned)
  t.deepEqual(firstServerAcl(a.name, peers), {
    allow: ['a.test', 'bb.test'],
    deny: [],
    allow_ip_literals: false,
  })
  const acl = {
    sender: person('ann', a),
    type: 'm.room.server_acl',
    stateKey: '',
    content: firstServerAcl(a.name, peers),
  }
  const roomId = await sharedRoom(a, b, [acl])
  const allowed = async () =>
    String((await a.rooms.view(roomId))!.state('m.room.server_acl')!.content['allow'])
  const becomes = (list: string) => until(async () => (await allowed()) === list)
  const keep = (of: typeof peers) => keepServerAcls({ store: a.store, rooms: a.rooms, peers: of, report })

  await keep(peers)
  pinned.add('ccc.test')
  peers.changed('ccc.test')
  await becomes('a.test,bb.test,ccc.test')
  pinned.delete('bb.test:8448')
  peers.changed('bb.test:8448')
  await becomes('a.test,ccc.test')
  // B is denied now, whatever it asks.
  await t.throwsAsync(a.rooms.askedBy(b.name, roomId), { message: /ACL/ })
  await until(async () => (await followed(a, 'server ACLs')).join() === 'in')

  // A pin that came and one that went, and the server was killed before any room followed.
  pinned.add('dddd.test')
  pinned.delete('ccc.test')
  await keep(pinsOf(pinned))
  await becomes('a.test,dddd.test')
  await until(async () => (await followed(a, 'server ACLs')).join() === 'in')

  // A store that fails in the middle.
  const last = pinsOf(pinned)
  await keep(last)
  pinned.add('eeeee.test')
  engine.fails = 'before'
  last.changed('eeeee.test')
  await until(async () => engine.fails === null)
  await a.rooms.send({ roomId: await openRoom(a), ...say(a, 'ann', 'hello') })
  await becomes('a.test,dddd.test,eeeee.test')
})

/** The root key, the card and the event-signing key over a data folder: rotation, restarts, files that are lost. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { markReady, openDataFolder } from '../../server/data-folder.ts'
import { openOwnSite } from '../../server/own-site.ts'
import { readCardText } from '../../server/protocol/card.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { signJson } from '../../server/protocol/signing.ts'
import { KeysMissing, openServerKeys } from '../../server/server-keys.ts'
import { verify } from '../support/primitives.ts'

const serverName = 'us.example' as ServerName

interface Changes {
  readonly origin?: string
  readonly address?: { readonly host: string; readonly port: number }
  readonly residency?: string
  readonly awaitsTls?: boolean
}

interface World {
  readonly dataFolder: string
  now: number
  file(name: string): string
  open(changes?: Changes): ReturnType<typeof openAll>
}

function world(t: ExecutionContext, dataFolder: string): World {
  t.teardown(() => rm(dataFolder, { recursive: true, force: true }))
  const it: World = {
    dataFolder,
    now: 1_700_000_000_000,
    file: name => join(dataFolder, 'keys', name),
    open: (changes = {}) => openAll(it, changes),
  }
  return it
}

async function openAll(world: World, changes: Changes) {
  const { dataFolder } = world
  const means = { clock: () => world.now, randomBytes: (size: number) => randomBytes(size) }
  const folder = await openDataFolder(dataFolder, serverName, means)
  const keys = await openServerKeys(dataFolder, { ...means, mustExist: !folder.isNew })
  if (folder.isNew) await markReady(dataFolder)
  const site = await openOwnSite({
    ...means,
    dataFolder,
    folder,
    keys,
    serverName,
    origin: changes.origin ?? 'https://us.example',
    address: changes.address ?? { host: 'us.example', port: 8448 },
    residency: changes.residency,
    awaitsTls: changes.awaitsTls ?? false,
  })
  return { keys, site }
}

const folder = async (t: ExecutionContext) =>
  world(t, join(await mkdtemp(join(tmpdir(), 'letro-site-')), 'data'))

test('the first start makes a root key for its own user alone, and a card that it signed', async t => {
  const it = await folder(t)
  const { keys, site } = await it.open()
  t.is((await stat(it.file('site-root.json'))).mode & 0o777, 0o600)
  const reading = readCardText(await readFile(it.file('site-card.json'), 'utf8'), verify)
  t.is(reading.kind, 'card')
  t.is(site.card.serial, 1_700_000_000_000)
  t.deepEqual(
    site.card.eventSigning.map(({ id }) => id),
    [keys.keyId],
  )
  t.is(site.card.rpId, 'us.example')
})

test('the same facts are the same card at every start; another fact is the next one', async t => {
  const it = await folder(t)
  const first = (await it.open()).site.card
  it.now += 5_000
  t.deepEqual((await it.open()).site.card.json, first.json)
  const moved = (await it.open({ residency: 'DE' })).site.card
  t.is(moved.serial, first.serial + 5_000)
  t.is(moved.residency, 'DE')
  t.deepEqual([...moved.rootKey], [...first.rootKey])
  const { site } = await it.open({ residency: 'DE' })
  const told: number[] = []
  site.onCard(card => void told.push(card.serial))
  const spki = Buffer.alloc(32, 7).toString('base64').replace('=', '')
  await site.setTls([spki])
  await site.setTls([spki])
  t.deepEqual(site.card.tlsSpkiSha256, [spki])
  t.deepEqual(told, [first.serial + 5_001])
  t.deepEqual((await it.open({ residency: 'DE' })).site.card.tlsSpkiSha256, [spki])
})

test('another federation.address or server.origin in the configuration: the next start signs a card that says so', async t => {
  const it = await folder(t)
  const first = (await it.open()).site.card
  it.now += 5_000
  const address = { host: '192.0.2.7', port: 9_448 }
  const moved = (await it.open({ address })).site.card
  t.deepEqual(moved.address, address)
  t.true(moved.serial > first.serial)
  const reading = readCardText(await readFile(it.file('site-card.json'), 'utf8'), verify)
  t.like(reading, { kind: 'card', card: { address, serial: moved.serial } })
  it.now += 5_000
  const named = (await it.open({ address, origin: 'https://chat.us.example' })).site.card
  t.deepEqual([named.rpId, ...named.origins], ['chat.us.example', 'https://chat.us.example'])
  t.true(named.serial > moved.serial)
  t.deepEqual([...named.rootKey], [...first.rootKey])
})

test('a site that answers others hands out no card before it knows its certificate', async t => {
  const it = await folder(t)
  const { site } = await it.open({ awaitsTls: true })
  await t.throwsAsync(readFile(it.file('site-card.json')), { code: 'ENOENT' })
  const spki = Buffer.alloc(32, 7).toString('base64').replace('=', '')
  await site.setTls([spki])
  const reading = readCardText(await readFile(it.file('site-card.json'), 'utf8'), verify)
  t.like(reading, { kind: 'card', card: { tlsSpkiSha256: [spki] } })
  t.deepEqual((await it.open({ awaitsTls: true })).site.card.json, site.card.json)
})

test('a rotated key is in the card before anything is signed with it; the old one keeps its end', async t => {
  const it = await folder(t)
  const { keys, site } = await it.open()
  const old = keys.keyId
  it.now += 10_000
  site.onCard(card => {
    t.is(keys.keyId, old, 'not in use yet')
    t.is(card.eventSigning.length, 2)
  })
  const next = await site.rotateSigningKey()
  t.is(keys.keyId, next)
  t.not(next, old)
  const end = 1_700_000_010_000 + 60_000
  t.deepEqual(
    [...keys.published].map(([id, { expiredTs }]) => [id, expiredTs]),
    [
      [old, end],
      [next, undefined],
    ],
  )
  t.is(site.card.serial, 1_700_000_010_000)
  // What was accepted under the old key is still signed under it.
  const signed = signJson({ a: 1 }, serverName, old, bytes => keys.sign(old, bytes))
  t.truthy(signed.signatures[serverName]?.[old])
  const again = await it.open()
  t.is(again.keys.keyId, next)
  t.is(again.keys.published.get(old)?.expiredTs, end)
  t.deepEqual(again.site.card.json, site.card.json)
})

test('two rotations and a new certificate at once: every card says what was then, no serial twice', async t => {
  const it = await folder(t)
  const { keys, site } = await it.open()
  const serials: number[] = []
  site.onCard(card => void serials.push(card.serial))
  const spki = Buffer.alloc(32, 9).toString('base64').replace('=', '')
  await Promise.all([site.rotateSigningKey(), site.setTls([spki]), site.rotateSigningKey()])
  t.is(new Set(serials).size, serials.length)
  t.is(site.card.eventSigning.length, 3)
  t.deepEqual(site.card.tlsSpkiSha256, [spki])
  t.is(site.card.eventSigning.find(key => key.expiredTs === undefined)?.id, keys.keyId)
  t.deepEqual((await it.open()).site.card.json, site.card.json)
})

test('a rotation whose card cannot be written changes nothing', async t => {
  const it = await folder(t)
  const { keys, site } = await it.open()
  const before = await readFile(it.file('event-signing.json'), 'utf8')
  const { keyId } = keys
  const { json } = site.card
  await t.throwsAsync(
    keys.rotate(async () => {
      throw new Error('no space')
    }),
    { message: 'no space' },
  )
  t.is(keys.keyId, keyId)
  t.is(await readFile(it.file('event-signing.json'), 'utf8'), before)
  t.deepEqual((await it.open()).site.card.json, json)
  t.truthy(await site.rotateSigningKey())
})

test('a crash between the new key and its card: the next start signs the card', async t => {
  const it = await folder(t)
  const { keys } = await it.open()
  const card = await readFile(it.file('site-card.json'), 'utf8')
  it.now += 1_000
  const next = await keys.rotate(async () => {})
  t.is(await readFile(it.file('site-card.json'), 'utf8'), card)
  const again = await it.open()
  t.is(again.keys.keyId, next)
  t.is(again.site.card.eventSigning.length, 2)
})

test('a root key that is lost or another one stops the start, with what to do; a lost card does not', async t => {
  const it = await folder(t)
  const { site } = await it.open()
  const root = await readFile(it.file('site-root.json'), 'utf8')
  await rm(it.file('site-root.json'))
  const missing = await t.throwsAsync(it.open(), { instanceOf: KeysMissing })
  t.regex(missing.message, /Put it back from a backup/)
  await writeFile(it.file('site-root.json'), '{"seed": "AA"}')
  t.regex((await t.throwsAsync(it.open(), { instanceOf: KeysMissing })).message, /damaged/)
  await writeFile(it.file('site-root.json'), JSON.stringify({ seed: Buffer.alloc(32, 1).toString('base64') }))
  t.regex((await t.throwsAsync(it.open(), { instanceOf: KeysMissing })).message, /not this site's root key/)
  await writeFile(it.file('site-root.json'), root)
  await rm(it.file('site-card.json'))
  it.now += 60_000
  t.is((await it.open()).site.card.serial, site.card.serial + 60_000)
  await writeFile(it.file('site-card.json'), '{"type": "org.letro.card", "ver')
  it.now += 60_000
  t.is((await it.open()).site.card.serial, site.card.serial + 120_000)
})

test('a folder of a release that knew no root key gets one', async t => {
  const it = await folder(t)
  await it.open()
  await rm(it.file('site-root.json'))
  await rm(it.file('site-card.json'))
  const identity = join(it.dataFolder, 'identity.json')
  const { rootKey: _, ...older } = JSON.parse(await readFile(identity, 'utf8'))
  await chmod(identity, 0o600)
  await writeFile(identity, JSON.stringify(older))
  const { site } = await it.open()
  t.is(site.card.serverName, serverName)
  t.is(typeof JSON.parse(await readFile(identity, 'utf8')).rootKey, 'string')
})

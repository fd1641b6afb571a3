/** Update files that are wrong in every way: each is refused with its own code, and nothing is changed. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { requireFits } from '../../appliance/update/fits.ts'
import { parseManifest } from '../../appliance/update/manifest.ts'
import { keyName, readTrustedKeys } from '../../appliance/update/update-keys.ts'
import { parseRecord } from '../../appliance/update/update-record.ts'
import { compareVersions, parseVersion } from '../../appliance/update/version.ts'
import { isWithin, parseWindow } from '../../appliance/update/window.ts'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'
import { makeRelease, makeUpdateFile, releaseKey, TestAppliance, version } from '../support/update-disk.ts'

const installed = makeRelease('1.5.0', { counter: 5 })
const next = makeRelease('1.6.0', { counter: 6 })

test('every byte counts: a file that is changed anywhere, cut anywhere or longer is refused', async t => {
  const made = await appliance(t)
  const good = await readFile(await makeUpdateFile(join(made.spool, 'good.update'), next))
  const headBytes = good.indexOf(next.parts.root.subarray(0, 64))
  const before = await made.contents()
  const flipped = [0, 5, 13, 14, 40, headBytes - 100, headBytes - 2, headBytes - 1]
  for (let part = headBytes; part < good.length; part += 40_003) flipped.push(part)
  flipped.push(good.length - 1)
  for (const at of flipped) {
    const bytes = Buffer.from(good)
    bytes[at]! ^= 1
    const code = await refusal(t, made, bytes)
    t.regex(code, /^UPDATE_(NOT_ONE|NEWER_FORMAT|FORGED|UNKNOWN_KEY|DAMAGED|TRUNCATED)$/, `byte ${at}`)
  }
  for (const length of [0, 1, 14, 15, headBytes - 1, headBytes, headBytes + 1, good.length - 1]) {
    const code = await refusal(t, made, good.subarray(0, length))
    t.is(code, length < 15 ? 'UPDATE_NOT_ONE' : 'UPDATE_TRUNCATED', `${length} bytes`)
  }
  t.is(await refusal(t, made, Buffer.concat([good, Buffer.from('x')])), 'UPDATE_TRAILING')
  t.is(await refusal(t, made, Buffer.alloc(200_000, 'letro-update 1\n')), 'UPDATE_DAMAGED')
  t.is(await refusal(t, made, Buffer.from('letro-update 2\n{}\n{}\n')), 'UPDATE_NEWER_FORMAT')
  t.deepEqual(await made.contents(), before)
})

const misfits = [
  ['UPDATE_OTHER_ARCHITECTURE', { architecture: 'arm64' }],
  ['UPDATE_RUNNING_ALREADY', { version: '1.5.0' }],
  ['UPDATE_OLDER', { version: '1.4.9' }],
  ['UPDATE_ROLLBACK', { counter: 4 }],
  ['UPDATE_NEEDS_ANOTHER_FIRST', { minimumVersion: '1.5.1' }],
] as const
for (const [code, facts] of misfits) {
  test(`a signed file that is not for this machine is refused: ${code}`, async t => {
    const made = await appliance(t)
    const before = await made.contents()
    const release = makeRelease('version' in facts ? facts.version : '1.6.0', { counter: 6, ...facts })
    const bytes = await readFile(await makeUpdateFile(join(made.spool, 'made.update'), release))
    t.is(await refusal(t, made, bytes), code)
    t.deepEqual(await made.contents(), before)
  })
}

test('an update of another product is refused, even signed by a key that is trusted', async t => {
  const made = await appliance(t)
  t.throws(
    () => requireFits({ ...parseManifest(canonicalJson(manifest)), product: 'teapot' }, made.release, 0),
    {
      code: 'UPDATE_OTHER_PRODUCT',
    },
  )
})

test('parts that do not fit the slot or the EFI partition are refused before anything is written', async t => {
  const made = await appliance(t)
  const before = await made.contents()
  for (const part of ['root', 'verity'] as const) {
    const parts = { ...next.parts, [part]: Buffer.alloc(1024 * 1024 + 1) }
    const bytes = await readFile(await makeUpdateFile(join(made.spool, 'made.update'), { ...next, parts }))
    t.is(await refusal(t, made, bytes), 'UPDATE_TOO_LARGE')
  }
  const machine = made.machine()
  const updater = await made.updater({
    machine: { ...machine, esp: { ...machine.esp, freeBytes: async () => 1000 } },
  })
  const file = await makeUpdateFile(join(made.spool, 'made.update'), next)
  await t.throwsAsync(
    updater.apply(file, () => {}),
    { code: 'UPDATE_ESP_FULL' },
  )
  t.deepEqual(await made.contents(), before)
})

test('keys: unknown ones are refused, the current or the next one is enough, a bad signature beside a good one is not', async t => {
  const made = await appliance(t)
  const stranger = generateKeyPairSync('ed25519')
  const upcoming = generateKeyPairSync('ed25519')
  const by = async (...keys: (typeof stranger)[]) =>
    readFile(await makeUpdateFile(join(made.spool, 'made.update'), next, keys))
  t.is(await refusal(t, made, await by(stranger)), 'UPDATE_UNKNOWN_KEY')
  const trusted = new Map([releaseKey, upcoming].map(key => [keyName(key.publicKey), key.publicKey]))
  const updater = await made.updater({ trusted })
  for (const keys of [[releaseKey], [upcoming], [stranger, upcoming]]) {
    await writeFile(join(made.spool, 'made.update'), await by(...keys))
    await t.notThrowsAsync(updater.check(join(made.spool, 'made.update'), () => {}))
  }
  const lines = (await by(releaseKey, upcoming)).toString('latin1')
  const [, , signatures] = lines.split('\n', 3)
  const theirs = JSON.parse(signatures!) as Record<string, string>
  theirs[keyName(upcoming.publicKey)] = theirs[keyName(releaseKey.publicKey)]!
  const bytes = Buffer.from(lines.replace(signatures!, canonicalJson(theirs)), 'latin1')
  await writeFile(join(made.spool, 'made.update'), bytes)
  await t.throwsAsync(
    updater.check(join(made.spool, 'made.update'), () => {}),
    { code: 'UPDATE_FORGED' },
  )
})

test('a signature over something else that we sign is none over an update', async t => {
  const made = await appliance(t)
  const text = canonicalJson({ product: 'letro' })
  const file = (signed: string, privateKey: KeyObject) => {
    const signature = sign(null, Buffer.from(signed), privateKey).toString('base64').replace(/=+$/, '')
    return Buffer.from(
      `letro-update 1\n${text}\n${canonicalJson({ [keyName(releaseKey.publicKey)]: signature })}\n`,
    )
  }
  t.is(await refusal(t, made, file(text, releaseKey.privateKey)), 'UPDATE_FORGED')
  // The same with the line before it is signed, and then not understood.
  t.is(await refusal(t, made, file(`letro-update 1\n${text}\n`, releaseKey.privateKey)), 'UPDATE_MALFORMED')
})

test('a signed kernel image that is none is refused', async t => {
  const made = await appliance(t)
  const parts = { ...next.parts, uki: Buffer.from('ELF and no program for a firmware') }
  const bytes = await readFile(await makeUpdateFile(join(made.spool, 'made.update'), { ...next, parts }))
  t.is(await refusal(t, made, bytes), 'UPDATE_MALFORMED')
})

test('what is no file is refused, and makes nobody wait', async t => {
  const made = await appliance(t)
  const updater = await made.updater()
  await mkdir(join(made.spool, 'folder.update'))
  await t.throwsAsync(
    updater.check(join(made.spool, 'folder.update'), () => {}),
    { code: 'UPDATE_NOT_ONE' },
  )
})

test('a stick that is pulled out in the middle leaves the running version, and says what to do', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.stick, 'a.update'), next)
  const updater = await made.updater()
  let isPulled = false
  const failed = updater.apply(file, ({ step }) => {
    if (step !== 'verity' || isPulled) return
    isPulled = true
    void truncate(file, 400_000)
  })
  await t.throwsAsync(failed, { code: 'UPDATE_CHANGED' })
  t.is(await made.boot([installed, next]), installed)
})

test('a full data disk is said before anything is written', async t => {
  const made = await appliance(t)
  const before = await made.contents()
  const file = await makeUpdateFile(join(made.spool, 'a.update'), next)
  const locked = await made.updater({ recordFile: '/dev/full/update.json' })
  await t.throwsAsync(
    locked.apply(file, () => {}),
    { code: 'UPDATE_SETTINGS' },
  )
  await mkdir(join(made.folder, 'settings/update.json.part'), { recursive: true })
  await t.throwsAsync(
    (await made.updater()).apply(file, () => {}),
    { code: 'UPDATE_SETTINGS' },
  )
  t.deepEqual(await made.contents(), before)
})

const manifest = {
  product: 'letro',
  version: '1.0.0',
  architecture: 'amd64',
  minimumVersion: '0.0.1',
  counter: 1,
  rootHash: 'ab'.repeat(32),
  parts: ['root', 'verity', 'uki'].map(name => ({ name, size: 1, sha256: 'cd'.repeat(32) })),
}

test('manifests that are signed and yet not understood are refused; new members are let be', t => {
  t.notThrows(() => parseManifest(canonicalJson(manifest)))
  t.notThrows(() => parseManifest(canonicalJson({ ...manifest, notes: 'of a later release' })))
  const [root, verity, uki] = manifest.parts
  const wrong: Json[] = [
    [],
    'text',
    { ...manifest, version: '1.0' },
    { ...manifest, version: '01.0.0' },
    { ...manifest, version: '1.0.0/../../x' },
    { ...manifest, minimumVersion: 1 },
    { ...manifest, architecture: null },
    { ...manifest, product: 7 },
    { ...manifest, counter: 0 },
    { ...manifest, counter: '1' },
    { ...manifest, rootHash: 'AB'.repeat(32) },
    { ...manifest, rootHash: 'ab' },
    { ...manifest, parts: [root!, verity!] },
    { ...manifest, parts: [verity!, root!, uki!] },
    { ...manifest, parts: [{ ...root!, size: 0 }, verity!, uki!] },
    { ...manifest, parts: [{ ...root!, size: -5 }, verity!, uki!] },
    { ...manifest, parts: [{ ...root!, sha256: 'x' }, verity!, uki!] },
  ]
  for (const each of wrong) {
    const text = canonicalJson(each as JsonObject)
    t.throws(() => parseManifest(text), { code: 'UPDATE_MALFORMED' }, text)
  }
  const twice = canonicalJson(manifest).replace('"counter":1', '"counter":1,"counter":1')
  for (const text of ['', '{', ` ${canonicalJson(manifest)}`, twice])
    t.throws(() => parseManifest(text), { code: 'UPDATE_MALFORMED' }, text)
})

test('versions are three numbers, compared as numbers', t => {
  for (const text of ['0.0.0', '1.2.3', '10.0.99999']) t.truthy(parseVersion(text), text)
  for (const text of ['1.2', '1.2.3.4', '1.2.3-rc', 'v1.2.3', '1.2.03', '100000.0.0', '', null])
    t.is(parseVersion(text), null, String(text))
  const sorted = ['1.10.0', '1.9.0', '1.9.10', '2.0.0', '0.99.99'].map(version).sort(compareVersions)
  t.deepEqual(sorted, ['0.99.99', '1.9.0', '1.9.10', '1.10.0', '2.0.0'].map(version))
})

test('a window is two times of day, and may go over midnight', t => {
  for (const text of ['2:00-4:00', '02:00', '24:00-01:00', '02:00-02:00', '02:00–04:00', null, 7])
    t.is(parseWindow(text), null, String(text))
  const at = (time: string) => new Date(`2026-11-21T${time}`)
  const night = parseWindow('22:30-04:00')!
  for (const [time, is] of [
    ['22:29', false],
    ['22:30', true],
    ['00:00', true],
    ['03:59', true],
    ['04:00', false],
  ] as const)
    t.is(isWithin(night, at(time)), is, time)
  const morning = parseWindow('02:00-04:00')!
  for (const [time, is] of [
    ['01:59', false],
    ['02:00', true],
    ['03:59', true],
    ['04:00', false],
  ] as const)
    t.is(isWithin(morning, at(time)), is, time)
})

test('a record that is not ours is none, and parts of one that are not are left out', t => {
  for (const text of ['', '[]', '{}', '{"counter":"1","events":[]}', '{"counter":1}'])
    t.is(parseRecord(text), null, text)
  const read = parseRecord(
    '{"counter":3,"window":"7","applied":{"version":"x","ts":1},"events":[{"ts":1,"kind":"new"},{"ts":2,"kind":"runs","version":"1.0.0"}]}',
  )
  t.deepEqual(read, {
    counter: 3,
    window: null,
    writing: null,
    applied: null,
    wentBack: null,
    events: [{ ts: 2, kind: 'runs', version: '1.0.0' }],
  })
})

test('trusted keys are those of the files update-*.pem, and a key of another kind is a broken image', async t => {
  const made = await appliance(t)
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' })
  const other = generateKeyPairSync('ed25519').publicKey
  await writeFile(join(made.stick, 'update-current.pem'), pem(releaseKey.publicKey))
  await writeFile(join(made.stick, 'update-next.pem'), pem(other))
  await writeFile(join(made.stick, 'stick-1.pem'), pem(generateKeyPairSync('ed25519').publicKey))
  t.deepEqual(
    [...(await readTrustedKeys(made.stick)).keys()],
    [keyName(releaseKey.publicKey), keyName(other)],
  )
  await writeFile(join(made.stick, 'update-x.pem'), pem(generateKeyPairSync('ed448').publicKey))
  await t.throwsAsync(readTrustedKeys(made.stick), { instanceOf: TypeError })
})

async function appliance(t: ExecutionContext): Promise<TestAppliance> {
  const made = await TestAppliance.make(installed)
  t.teardown(() => made.close())
  return made
}

/** Applied, not only checked: what is refused by one is refused by the other. The sentence says that nothing happened. */
async function refusal(t: ExecutionContext, made: TestAppliance, bytes: Uint8Array): Promise<string> {
  const file = join(made.spool, 'tried.update')
  await writeFile(file, bytes)
  const updater = await made.updater()
  const error = await t.throwsAsync<Error & { code: string }>(updater.apply(file, () => {}))
  t.regex(error!.message, /Nothing was changed|between this version and that one first/)
  const last = (await updater.status()).events.at(-1)
  t.is(last?.code, error!.code)
  return error!.code
}

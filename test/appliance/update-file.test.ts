/** The update file: what is written is read again, and whatever is wrong with one is said before anything is changed. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { parseHead } from '../../appliance/update/head.ts'
import { keyName } from '../../appliance/update/update-keys.ts'
import { writeUpdateFile } from '../../appliance/update/write-update-file.ts'

const release = {
  version: '1.2.3',
  architecture: 'amd64',
  minimumVersion: '1.0.0',
  counter: 7,
  rootHash: 'ab'.repeat(32),
}

test('what is written is read again: manifest, then the parts one after the other, the same bytes each time', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-update-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const parts = { root: join(folder, 'root'), verity: join(folder, 'verity'), uki: join(folder, 'uki') }
  for (const [name, path] of Object.entries(parts)) await writeFile(path, name.repeat(1000))
  const keys = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const privateKeys = keys.map(key => key.privateKey)
  const file = join(folder, 'letro-1.2.3-amd64.update')
  const manifest = await writeUpdateFile(file, release, parts, privateKeys)
  const bytes = await readFile(file)
  for (const { publicKey } of keys) {
    const head = parseHead(bytes, new Map([[keyName(publicKey), publicKey]]))
    t.deepEqual(head.manifest, manifest)
    let at = head.bytes
    for (const part of head.manifest.parts) {
      const body = bytes.subarray(at, at + part.size)
      t.is(body.toString(), part.name.repeat(1000))
      t.is(createHash('sha256').update(body).digest('hex'), part.sha256)
      at += part.size
    }
    t.is(at, bytes.length)
  }
  await writeUpdateFile(file, release, parts, privateKeys)
  t.deepEqual(await readFile(file), bytes)
})

test('facts that no machine would read are not written', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-update-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const part = join(folder, 'part')
  await writeFile(part, 'x')
  const { privateKey } = generateKeyPairSync('ed25519')
  for (const wrong of [{ version: '1.2' }, { version: '1.2.3-rc' }, { counter: 0 }, { rootHash: 'ab' }]) {
    await t.throwsAsync(
      writeUpdateFile(
        join(folder, 'file'),
        { ...release, ...wrong },
        { root: part, verity: part, uki: part },
        [privateKey],
      ),
      { instanceOf: TypeError },
    )
  }
})

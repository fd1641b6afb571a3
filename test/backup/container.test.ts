/** The container's parser: what it takes, what it refuses, and that nothing but a BackupError comes out of bytes that somebody changed. */
import test from 'ava'
import { BackupError } from '../../server/backup/backup-error.ts'
import { ContainerReader } from '../../server/backup/container.ts'
import { isSafePath } from '../../server/backup/data-files.ts'

async function read(bytes: Buffer, pieceBytes = bytes.length): Promise<string[]> {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
  }
  const reader = new ContainerReader(pieces())
  await reader.begin()
  const found: string[] = []
  for (let record = await reader.next(); record; record = await reader.next()) {
    found.push(`${record['record']} ${(await reader.wholeBody(1_000)).toString('latin1')}`)
  }
  return found
}

const whole = 'letro-backup 1\n{"record":"a","bytes":5}\nab\ncd{"record":"b"}\n{"record":"c","bytes":1}\nx'

test('records come out as they went in, in pieces of any size', async t => {
  for (const size of [1, 2, 3, 7, 16, 1_000]) {
    t.deepEqual(await read(Buffer.from(whole), size), ['a ab\ncd', 'b ', 'c x'])
  }
})

test('a body that nobody reads is skipped, and counts for the digest', async t => {
  async function* pieces() {
    yield Buffer.from(whole)
  }
  const [reader, other] = [new ContainerReader(pieces()), new ContainerReader(pieces())]
  for (const each of [reader, other]) await each.begin()
  await reader.next()
  await other.next()
  await other.wholeBody(100)
  await reader.next()
  await other.next()
  t.is(reader.digestBefore(), other.digestBefore())
})

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /no backup of Letro/],
  ['letro-backup 1', /cut short/],
  ['letro-backup \n', /no backup of Letro|changed/],
  ['letro-backup 2\n', /format 2/],
  ['letro-backup 1e99\n', /no backup of Letro|format/],
  ['letro-backup 1\n{"record":"a"', /cut short/],
  ['letro-backup 1\n[]\n', /changed or is damaged/],
  ['letro-backup 1\n{"bytes":1}\nx', /changed or is damaged/],
  ['letro-backup 1\n{"record":"a","bytes":9}\nshort', /cut short/],
  ['letro-backup 1\n{"record":"a","bytes":5000}\n', /changed or is damaged|cut short/],
]
for (const [text, says] of refused) {
  test(`refused: ${JSON.stringify(text)}`, async t => {
    const error = await t.throwsAsync(read(Buffer.from(text)), { instanceOf: BackupError })
    t.regex(error!.message, says)
  })
}

test('bytes that somebody changed are read, or refused with a code', async t => {
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed % below
  }
  let refusals = 0
  for (let round = 0; round < 3_000; round++) {
    const bytes = Buffer.from(whole)
    for (let k = 0; k <= random(3); k++) bytes[random(bytes.length)] = random(256)
    const cut = bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length)
    try {
      await read(cut, 1 + random(20))
    } catch (error) {
      refusals++
      if (!(error instanceof BackupError)) throw error
    }
  }
  t.true(refusals > 1_000)
})

test('a path in a backup stays inside the folder that it is unpacked into', t => {
  for (const good of ['identity.json', 'keys/event-signing.json', 'media/ab/cd/abcd-_x', 'tls/a+b@c~1.pem']) {
    t.true(isSafePath(good), good)
  }
  for (const bad of [
    '',
    '/etc/passwd',
    '..',
    'a/../../b',
    'a//b',
    './a',
    'a/.',
    'a\\b',
    'a\nb',
    'a b',
    5,
    null,
  ]) {
    t.false(isSafePath(bad), String(bad))
  }
})

/** What goes out comes back, as a chain and alone; and every bad backup is a sentence, with nothing half done. */
import { execFileSync } from 'node:child_process'
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { BackupErrorCode } from '../../server/backup/backup-error.ts'
import { keepingRoom } from '../../server/backup/backup-file.ts'
import { backupName, newChain } from '../../server/backup/names.ts'
import { readBackupHeader } from '../../server/backup/read-backup.ts'
import { restoreBackup } from '../../server/backup/restore.ts'
import { seal } from '../../server/backup/seal.ts'
import { unseal } from '../../server/backup/unseal.ts'
import { verifyBackup } from '../../server/backup/verify.ts'
import { newBackupId } from '../../server/backup/write-backup.ts'
import { checkFolder } from '../../server/store/check.ts'
import { storeFolder } from '../../server/store/level-folder.ts'
import { addEvents, addMedia, backUp, makeData, makeSite, newKeys, now, withFolder } from './backup-data.ts'

const clock = () => now + 86_400_000
const site = makeSite('clinic.example')

async function refused(
  t: ExecutionContext,
  restoring: Promise<unknown>,
  code: BackupErrorCode,
  says: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(restoring, { code })
  t.regex(error!.message, says)
}

/** A folder `data` that was backed up whole into `place`, for keys of its own. */
async function backedUp(folder: string, held = new Set<string>()) {
  const data = join(folder, 'data')
  const place = join(folder, 'place')
  const keys = await newKeys()
  await makeData(data, site)
  await addEvents(data, 0, 3_000)
  const mediaId = await addMedia(data, Buffer.alloc(200_000, 7))
  const id = newBackupId()
  const notes = { rows: async (chunk: string) => void held.add(chunk), media: async () => {} }
  const name = await backUp(data, place, site, { recipient: keys.recipient, id, notes })
  return { data, place, id, name, mediaId, file: join(place, name), ...keys }
}

test('a restored data folder is whole: rows, keys, media, and nobody else can read it', t =>
  withFolder(t, async folder => {
    const { file, identity, mediaId } = await backedUp(folder)
    const target = join(folder, 'restored')
    const report = await restoreBackup(file, target, { keys: { identities: [identity] }, clock })
    t.is(report.end.rows, 3_002)
    t.is(report.media, 1)
    t.is(report.mediaMissing, 0)
    t.is(report.configuration['server.name'], 'clinic.example')
    t.deepEqual((await checkFolder(storeFolder(target))).findings, [])
    const media = await readFile(join(target, 'media', mediaId.slice(0, 2), mediaId.slice(2, 4), mediaId))
    t.is(media.length, 200_000)
    t.regex(await readFile(join(target, 'keys', 'event-signing.json'), 'utf8'), /of the server/)
    t.false((await readdir(target)).includes('maintenance.token'))
    t.false((await readdir(target)).includes('restoring'))
    t.is((await stat(join(target, 'keys', 'event-signing.json'))).mode & 0o077, 0)
  }))

test('what lies in the place tells nothing of what is inside', t =>
  withFolder(t, async folder => {
    const { file } = await backedUp(folder)
    const bytes = await readFile(file)
    t.true(bytes.subarray(0, 21).equals(Buffer.from('age-encryption.org/v1')))
    for (const word of ['clinic', 'an event', 'of the server', 'identity.json']) t.false(bytes.includes(word))
  }))

test('an incremental backup holds what changed, and restores together with those before it', t =>
  withFolder(t, async folder => {
    const held = new Set<string>()
    const { data, place, id, name, file, identity, recipient, mediaId } = await backedUp(folder, held)
    await addEvents(data, 3_000, 3_100)
    const second = await addMedia(data, Buffer.from('a second file'))
    const earlier = {
      id,
      name,
      hasRows: (chunk: string) => held.has(chunk),
      hasMedia: async (path: string) => path.endsWith(mediaId),
    }
    const next = await backUp(data, place, site, { recipient, number: 1, earlier })
    t.true((await stat(join(place, next))).size < (await stat(file)).size)
    const target = join(folder, 'restored')
    const report = await restoreBackup(join(place, next), target, { keys: { identities: [identity] }, clock })
    t.is(report.from.length, 2)
    t.is(report.media, 2)
    t.is(report.end.rows, 3_103)
    t.is(
      (await readFile(join(target, 'media', second.slice(0, 2), second.slice(2, 4), second))).toString(),
      'a second file',
    )

    await rm(file)
    const restoring = restoreBackup(join(place, next), join(folder, 'other'), {
      keys: { identities: [identity] },
    })
    await refused(
      t,
      restoring,
      'BACKUP_NO_BASE',
      /builds on letro-clinic.example-.*-000.age, which is not beside it/,
    )
    t.false((await readdir(folder)).includes('other'))
  }))

test('a truncated backup is refused, wherever it was cut, and nothing is left', t =>
  withFolder(t, async folder => {
    const { file, identity } = await backedUp(folder)
    const whole = await readFile(file)
    const cut = join(folder, 'place', backupName(newChain('clinic.example', now), 7))
    for (const bytes of [0, 10, 100, 250, 65_000, 150_000, whole.length - 70_000, whole.length - 1]) {
      await writeFile(cut, whole.subarray(0, bytes))
      const target = join(folder, 'restored')
      const error = await t.throwsAsync(restoreBackup(cut, target, { keys: { identities: [identity] } }))
      const { code } = error as unknown as { code: string }
      t.true(['BACKUP_DAMAGED', 'BACKUP_NOT_ONE'].includes(code), `${bytes}: ${code} ${error!.message}`)
      t.deepEqual(await readdir(target).catch(() => []), [])
    }
    t.regex((await t.throwsAsync(readBackupAfterCut()))!.message, /cut short/)
    async function readBackupAfterCut() {
      await writeFile(cut, whole.subarray(0, whole.length - 1))
      await restoreBackup(cut, join(folder, 'restored'), { keys: { identities: [identity] } })
    }
  }))

test('a tampered backup is refused: one flipped bit anywhere', t =>
  withFolder(t, async folder => {
    const { file, identity } = await backedUp(folder)
    const whole = await readFile(file)
    for (const at of [40, 180, 5_000, Math.floor(whole.length / 2), whole.length - 1]) {
      const changed = Buffer.from(whole)
      changed[at]! ^= 1
      await writeFile(file, changed)
      const target = join(folder, 'restored')
      const error = await t.throwsAsync(restoreBackup(file, target, { keys: { identities: [identity] } }))
      t.regex(String((error as unknown as { code: string }).code), /^BACKUP_(DAMAGED|WRONG_KEY)$/)
      t.deepEqual(await readdir(target).catch(() => []), [])
    }
  }))

test('a backup that somebody else made for the same recipient is refused: it is not signed by the site', t =>
  withFolder(t, async folder => {
    const { data, place, identity, recipient } = await backedUp(folder)
    const forger = makeSite('clinic.example')
    // The real card is public: anybody can put it there.
    const name = await backUp(data, place, { ...forger, card: site.card }, { recipient, number: 3 })
    const restoring = restoreBackup(join(place, name), join(folder, 'restored'), {
      keys: { identities: [identity] },
    })
    await refused(t, restoring, 'BACKUP_DAMAGED', /not signed by clinic.example/)
    t.deepEqual(await readdir(join(folder, 'restored')), [])
  }))

test('a backup of another site is refused before anything is written', t =>
  withFolder(t, async folder => {
    const { file, identity } = await backedUp(folder)
    const target = join(folder, 'restored')
    const keys = { identities: [identity] }
    const restoring = restoreBackup(file, target, { keys, serverName: 'bank.example' })
    await refused(t, restoring, 'BACKUP_OTHER_SITE', /backup of clinic.example, not of bank.example/)
    t.false((await readdir(folder)).includes('restored'))
  }))

test('a chain that mixes two sites is refused', t =>
  withFolder(t, async folder => {
    const { data, place, id, name, identity, recipient } = await backedUp(folder)
    const other = makeSite('clinic.example')
    const earlier = { id, name, hasRows: () => true, hasMedia: async () => true }
    const next = await backUp(data, place, other, { recipient, number: 1, earlier })
    const restoring = restoreBackup(join(place, next), join(folder, 'restored'), {
      keys: { identities: [identity] },
    })
    await refused(t, restoring, 'BACKUP_OTHER_SITE', /-000.age is a backup of clinic.example/)
  }))

test('a backup of a newer version is refused before anything is written: its format, and its data', t =>
  withFolder(t, async folder => {
    const { data, place, file, identity, recipient } = await backedUp(folder)
    const keys = { identities: [identity] }
    const target = join(folder, 'restored')
    const text = async function* () {
      yield Buffer.from('letro-backup 2\n{"record":"something else"}\n')
    }
    const newer = join(place, backupName(newChain('clinic.example', now), 5))
    await writeFile(newer, await collect(seal(text(), { recipients: [recipient] })))
    await refused(
      t,
      restoreBackup(newer, target, { keys }),
      'BACKUP_NEWER',
      /format 2; this release reads up to 1/,
    )

    const plain = (await collect(unseal(createReadStream(file), keys))).toString('latin1')
    const raised = plain.replace('"oldest_reader":1', '"oldest_reader":9')
    t.not(raised, plain)
    const resealed = seal(once(Buffer.from(raised, 'latin1')), { recipients: [recipient] })
    await writeFile(newer, await collect(resealed))
    await refused(
      t,
      restoreBackup(newer, target, { keys }),
      'BACKUP_NEWER',
      /Install that release or a newer one/,
    )
    t.false((await readdir(folder)).includes('restored'))
    t.truthy(data)
  }))

test('a wrong key, a wrong passphrase, no key and a file that is none of ours each say so', t =>
  withFolder(t, async folder => {
    const { place, file } = await backedUp(folder)
    const target = join(folder, 'restored')
    const { identity } = await newKeys()
    const wrong = restoreBackup(file, target, { keys: { identities: [identity] } })
    await refused(t, wrong, 'BACKUP_WRONG_KEY', /not encrypted for this key/)
    const passphrase = restoreBackup(file, target, { keys: { identities: [], passphrase: 'no' } })
    await refused(t, passphrase, 'BACKUP_WRONG_KEY', /name the file of the private key/)
    const noKey = restoreBackup(file, target, { keys: { identities: ['ssh-ed25519 AAAA'] } })
    await refused(t, noKey, 'BACKUP_WRONG_KEY', /AGE-SECRET-KEY-1/)
    await writeFile(join(place, 'other'), 'PK\x03\x04 this is a zip file')
    const other = restoreBackup(join(place, 'other'), target, { keys: { identities: [identity] } })
    await refused(t, other, 'BACKUP_NOT_ONE', /no backup of Letro/)
    const away = restoreBackup(join(place, 'away'), target, { keys: { identities: [identity] } })
    await refused(t, away, 'BACKUP_PLACE', /cannot be read \(ENOENT\)/)
    t.false((await readdir(folder)).includes('restored'))
  }))

test('a backup opens with its passphrase', t =>
  withFolder(t, async folder => {
    const keys = { identities: [], passphrase: 'four words of dice' }
    const sealed = seal(once(Buffer.from('hello')), {
      recipients: [],
      passphrase: keys.passphrase,
      workFactor: 10,
    })
    const file = join(folder, 'file')
    await writeFile(file, await collect(sealed))
    t.is((await collect(unseal(createReadStream(file), keys))).toString(), 'hello')
  }))

test('a folder that is in use is left alone; what an interrupted restore left is not in the way', t =>
  withFolder(t, async folder => {
    const { file, identity } = await backedUp(folder)
    const keys = { identities: [identity] }
    const target = join(folder, 'restored')
    await mkdir(target)
    await writeFile(join(target, 'letter.txt'), 'mine')
    await refused(t, restoreBackup(file, target, { keys }), 'BACKUP_TARGET', /not empty \(letter.txt\)/)
    await mkdir(join(target, 'restoring', 'store'), { recursive: true })
    await refused(t, restoreBackup(file, target, { keys }), 'BACKUP_TARGET', /letter.txt/)
    t.is(await readFile(join(target, 'letter.txt'), 'utf8'), 'mine')
    await rm(join(target, 'letter.txt'))

    // Cut off in the middle of the last moves: store and keys are out already, identity.json is not.
    const whole = join(folder, 'whole')
    await restoreBackup(file, whole, { keys, clock })
    await mkdir(join(target, 'restoring'))
    const names = ['store', 'keys', 'media', 'identity.json']
    await writeFile(join(target, 'restoring', '.moving'), JSON.stringify(names))
    await rename(join(whole, 'store'), join(target, 'store'))
    await rename(join(whole, 'keys'), join(target, 'keys'))
    const report = await restoreBackup(file, target, { keys, clock })
    t.is(report.end.rows, 3_002)
    t.true((await readdir(target)).includes('identity.json'))
  }))

test('verify restores into scratch, tells, and leaves nothing there', t =>
  withFolder(t, async folder => {
    const { data, place, file, identity, recipient, mediaId } = await backedUp(folder)
    const scratch = join(folder, 'scratch')
    await mkdir(scratch)
    const options = { keys: { identities: [identity] }, clock }
    const sound = await verifyBackup(file, scratch, options)
    t.true(sound.isSound)
    t.true(sound.check.rows > 3_000)
    // A media file that had rotted before it was backed up: the row knows what it was.
    await writeFile(
      join(data, 'media', mediaId.slice(0, 2), mediaId.slice(2, 4), mediaId),
      Buffer.alloc(200_000, 8),
    )
    const rotten = await backUp(data, place, site, { recipient, number: 2 })
    const report = await verifyBackup(join(place, rotten), scratch, options)
    t.false(report.isSound)
    t.is(report.restored.mediaMissing, 1)
    t.deepEqual(await readdir(scratch), [])
  }))

const withTmpfs = process.getuid?.() === 0 && process.platform === 'linux' ? test : test.skip

withTmpfs('a disk that is too small, or becomes full during a restore: said, and nothing half done', t =>
  withFolder(t, async folder => {
    const { file, identity } = await backedUp(folder)
    const keys = { identities: [identity] }
    const disk = join(folder, 'disk')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk])
    try {
      const target = join(disk, 'restored')
      await refused(t, restoreBackup(file, target, { keys }), 'BACKUP_NO_SPACE', /needs about [0-9]+ MiB/)
      t.deepEqual(await readdir(disk), [])
      execFileSync('mount', ['-o', 'remount,size=40m', disk])
      // Somebody else takes what was free when it began.
      let isTaken = false
      const onProgress = () => {
        if (isTaken) return
        isTaken = true
        const file = openSync(join(disk, 'others'), 'w')
        try {
          for (;;) writeSync(file, Buffer.alloc(65_536))
        } catch {
          closeSync(file)
        }
      }
      const restoring = restoreBackup(file, target, { keys, onProgress })
      await refused(t, restoring, 'BACKUP_NO_SPACE', /is full. Nothing was restored/)
      t.deepEqual(await readdir(target), [])
      await rm(join(disk, 'others'))
      t.is((await restoreBackup(file, target, { keys, clock })).end.rows, 3_002)
    } finally {
      execFileSync('umount', [disk])
    }
  }),
)

withTmpfs('a backup on the disk of the data leaves the server room to write', t =>
  withFolder(t, async folder => {
    const disk = join(folder, 'disk')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', disk])
    try {
      const take = async (from: Buffer[], place: string) => {
        async function* pieces() {
          yield* from
        }
        for await (const piece of keepingRoom(pieces(), place, disk)) await appendFile(join(disk, 'x'), piece)
      }
      const pieces = Array.from({ length: 100 }, () => Buffer.alloc(2 ** 20))
      await refused(t, take(pieces, disk), 'BACKUP_NO_SPACE', /less than 256 MiB left/)
      // On another disk it may fill it.
      await rm(join(disk, 'x'))
      await t.notThrowsAsync(take(pieces, folder))
    } finally {
      execFileSync('umount', [disk])
    }
  }),
)

test('the beginning alone says whose backup it is, and of when', t =>
  withFolder(t, async folder => {
    const { file, identity } = await backedUp(folder)
    const header = await readBackupHeader(file, { identities: [identity] })
    t.is(header.serverName, 'clinic.example')
    t.is(header.createdTs, now)
    t.is(header.base, null)
  }))

async function* once(bytes: Buffer) {
  yield bytes
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

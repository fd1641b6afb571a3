/**
 * The power goes at any moment of an update: what the disk may then hold starts the running version or the new one, is mended
 * by fsck.vfat without harm, and takes the update again.
 *
 * Every write and flush of a real update is recorded on a real image (GPT by sfdisk, vfat by mkfs.vfat) and replayed up to a
 * random place, with what was not flushed kept in part, out of order, sectors torn apart, by a seed. The kernel's own vfat is
 * tried by booted machines (test:appliance).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Esp } from '../../appliance/update/esp.ts'
import type { Machine } from '../../appliance/update/machine.ts'
import { partitionIds } from '../../appliance/update/manifest.ts'
import { keyName } from '../../appliance/update/update-keys.ts'
import { Updater } from '../../appliance/update/updater.ts'
import { CrashDisk, espPlace, randomFrom } from '../support/crash-disk.ts'
import { type DiskTools, findDiskTools } from '../support/disk-tools.ts'
import { makeRelease, makeUpdateFile, releaseKey, type TestRelease, version } from '../support/update-disk.ts'

const tools = findDiskTools()
const withTools = tools ? test : test.skip
if (!tools) console.error('skipped: sfdisk, dosfstools and mtools are neither here nor to be had from Debian')

const one = makeRelease('1.0.0')
const two = makeRelease('1.1.0')
const three = makeRelease('1.2.0')
const MiB = 1024 * 1024
const places = {
  'root-a': espPlace.start + espPlace.size,
  'verity-a': espPlace.start + espPlace.size + MiB,
  'root-b': espPlace.start + espPlace.size + 2 * MiB,
  'verity-b': espPlace.start + espPlace.size + 3 * MiB,
} as const
/** Of one recorded update; more with LETRO_POWER_CUTS. */
const cuts = Number(process.env['LETRO_POWER_CUTS'] ?? 12)

for (const inOrder of [true, false]) {
  const how = inOrder
    ? 'with the order that vfat is asked for'
    : 'on a file system that keeps no order at all'
  withTools(`whenever the power goes, the machine starts, ${how}`, async t => {
    t.timeout(300_000)
    const folder = temporary(t)
    const disk = freshDisk(join(folder, 'disk'), tools!)
    const file = await makeUpdateFile(join(folder, 'a.update'), two)
    const updater = await open(folder, disk, disk.esp({ inOrder }))
    await updater.apply(file, () => {})
    t.is(starts(disk, tools!), two)
    const started = { one: 0, two: 0 }
    for (let seed = 1; seed <= cuts; seed++) {
      const random = randomFrom(seed)
      const length = seed === cuts ? disk.log.length : Math.floor(random() * (disk.log.length + 1))
      const cut = CrashDisk.from(join(folder, 'cut'), disk.after(length, random), tools!)
      const label = `seed ${seed}, ${length} of ${disk.log.length}`
      const release = starts(cut, tools!)
      t.true(release === one || release === two, label)
      started[release === two ? 'two' : 'one']++
      const complaints = mend(folder, cut, tools!)
      if (inOrder)
        t.deepEqual(
          complaints.filter(line => !harmless.test(line)),
          [],
          label,
        )
      t.true([one, two].includes(starts(cut, tools!)!), `${label}, after fsck`)
      // Each tenth of them takes the update again, and that is a whole one.
      if (seed % 6 === 0 && release === one) {
        rmSync(join(folder, 'settings'), { recursive: true, force: true })
        const again = await open(folder, cut, cut.esp({ inOrder }))
        await again.apply(file, () => {})
        t.is(starts(cut, tools!), two, `${label}, again`)
        t.deepEqual(
          mend(folder, cut, tools!).filter(line => !harmless.test(line)),
          [],
          `${label}, again`,
        )
      }
    }
    t.true(started.one > 0 && started.two > 0)
  })
}

withTools('the same where another version is in the slot that is written, and leads there', async t => {
  t.timeout(300_000)
  const folder = temporary(t)
  const disk = freshDisk(join(folder, 'disk'), tools!)
  await (await open(folder, disk, disk.esp({ inOrder: true }))).apply(
    await makeUpdateFile(join(folder, 'a.update'), two),
    () => {},
  )
  const base = CrashDisk.from(join(folder, 'base'), readFileSync(disk.path), tools!)
  await (await open(folder, base, base.esp({ inOrder: true }))).apply(
    await makeUpdateFile(join(folder, 'b.update'), three),
    () => {},
  )
  t.is(starts(base, tools!), three)
  for (let seed = 1; seed <= cuts; seed++) {
    const random = randomFrom(1000 + seed)
    // Most of the log is the slot; its beginning, where the old kernel image goes, is tried more often.
    const span = seed % 2 === 0 ? 40 : base.log.length
    const length = Math.floor(random() * span)
    const cut = CrashDisk.from(join(folder, 'cut'), base.after(length, random), tools!)
    t.truthy(starts(cut, tools!), `seed ${seed}, ${length}`)
    mend(folder, cut, tools!)
    t.truthy(starts(cut, tools!), `seed ${seed}, ${length}, after fsck`)
  }
})

withTools('a partition table of which one copy is damaged is made whole, the damaged one first', async t => {
  for (const damaged of ['first', 'last'] as const) {
    const folder = temporary(t)
    const disk = freshDisk(join(folder, 'disk'), tools!)
    const size = readFileSync(disk.path).length
    disk.write(damaged === 'first' ? 512 : size - 512, Buffer.alloc(512, 7))
    const hurt = CrashDisk.from(join(folder, 'hurt'), readFileSync(disk.path), tools!)
    const file = await makeUpdateFile(join(folder, 'a.update'), two)
    await (await open(folder, hurt, hurt.esp({ inOrder: true }))).apply(file, () => {})
    t.regex(tools!.ask('sfdisk', ['--verify', hurt.path]).text, /No errors detected/)
    t.is(starts(hurt, tools!), two)
    const order = hurt.log.flatMap(entry =>
      entry !== 'flush' && entry.bytes.toString('latin1', 0, 8) === 'EFI PART' ? [entry.offset] : [],
    )
    t.deepEqual(order, damaged === 'first' ? [512, size - 512] : [size - 512, 512])
  }
})

withTools('what sfdisk reads is what was set, and nothing else of the table has changed', async t => {
  const folder = temporary(t)
  const disk = freshDisk(join(folder, 'disk'), tools!)
  const before = table(disk, tools!)
  const file = await makeUpdateFile(join(folder, 'a.update'), two)
  await (await open(folder, disk, disk.esp({ inOrder: true }))).apply(file, () => {})
  const ids = partitionIds(two.facts.rootHash)
  const expected = before.map(partition => ({
    ...partition,
    ...(partition.name === 'root-b' ? { uuid: ids.root } : {}),
    ...(partition.name === 'verity-b' ? { uuid: ids.verity } : {}),
  }))
  t.deepEqual(table(disk, tools!), expected)
})

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'letro-cut-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** One in slot A, blessed; slot B empty. */
function freshDisk(path: string, tools: DiskTools): CrashDisk {
  return CrashDisk.make(path, tools, partitionIds(one.facts.rootHash), disk => {
    disk.put('letro_1.0.0+3.efi', one.parts.uki)
    disk.put('letro_1.0.0.good', Buffer.alloc(0))
    disk.write(places['root-a'], one.parts.root)
    disk.write(places['verity-a'], one.parts.verity)
  })
}

function open(folder: string, disk: CrashDisk, esp: Esp): Promise<Updater> {
  const machine: Machine = {
    esp,
    bootId: async () => 'boot',
    runningPartitions: async () => [2, 3],
    openDisk: () => disk.open(0),
    openPartition: ({ start, size }) => disk.open(start, size),
    restart: async () => {},
  }
  return Updater.open({
    machine,
    release: { product: 'letro', version: version('1.0.0'), counter: 1, architecture: 'amd64' },
    trusted: new Map([[keyName(releaseKey.publicKey), releaseKey.publicKey]]),
    recordFile: join(folder, 'settings/update.json'),
    folders: [folder],
    clock: Date.now,
    report: () => {},
  })
}

interface Row {
  readonly name: string
  readonly uuid: string
  readonly start: number
}

/** As sfdisk reads it: where the first copy is damaged, from the second. */
function table(disk: CrashDisk, tools: DiskTools): Row[] {
  const read = JSON.parse(tools.run('sfdisk', ['--json', disk.path]).toString()) as {
    partitiontable: { partitions: Row[] }
  }
  return read.partitiontable.partitions.map(({ name, uuid, start }) => ({
    name,
    uuid: uuid.toLowerCase(),
    start,
  }))
}

/**
 * As firmware and boot loader: the newest kernel image that is a program. One that is not whole, or whose slot is not, must not
 * look like one: null.
 */
function starts(disk: CrashDisk, tools: DiskTools): TestRelease | null {
  const rows = table(disk, tools)
  const contents = readFileSync(disk.path)
  const listed = tools.ask('mdir', ['-i', disk.espImage, '-b', '::/EFI/Linux']).text
  const names = listed.split('\n').flatMap(line => /letro_[^/]+\.efi$/.exec(line.trim()) ?? [])
  for (const name of names.sort().reverse()) {
    const read = tools.ask('mtype', ['-i', disk.espImage, `::/EFI/Linux/${name}`])
    if (!read.text.startsWith('MZ')) continue
    const image = tools.run('mtype', ['-i', disk.espImage, `::/EFI/Linux/${name}`])
    const release = [one, two, three].find(each => each.parts.uki.equals(image))
    const ids = release && partitionIds(release.facts.rootHash)
    const isWhole = (['root', 'verity'] as const).every(part => {
      const row = rows.find(({ uuid }) => uuid === ids?.[part])
      const bytes = release?.parts[part]
      return row && bytes && contents.subarray(row.start * 512, row.start * 512 + bytes.length).equals(bytes)
    })
    return release && isWhole ? release : null
  }
  return null
}

/** A cut leaves these; none is of a file that somebody has. */
const harmless =
  /^(fsck\.fat|\s*$|0x41|Dirty bit|There (is|are) difference|This is mostly harmless|.*(not automatically|Auto-)|FATs differ|Reclaimed \d+ unused|Free cluster summary|Performing changes|Leaving filesystem|.*files?, .*clusters$|\s+1\) |\s+2\) |Copying|Using|Orphan|First FAT|.*: *\d+ files)/i

/** As before the next mount. What fsck.vfat says; the disk then has what it made of it. */
function mend(folder: string, disk: CrashDisk, tools: DiskTools): string[] {
  const copy = join(folder, 'esp')
  disk.copyEsp(copy)
  const { text } = tools.ask('fsck.vfat', ['-a', copy])
  disk.write(espPlace.start, readFileSync(copy))
  writeFileSync(copy, '')
  return text.split('\n')
}

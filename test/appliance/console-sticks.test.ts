import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { mediaIn, namesOn, sticks } from '../../appliance/console/real/sticks.ts'
import { paths } from '../../appliance/paths.ts'
import type { Run } from '../../appliance/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'letro-sticks-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const device = (path: string, fstype: string | null, more = {}) => ({
  path,
  pkname: null,
  type: 'part',
  fstype,
  label: null,
  ro: false,
  ...more,
})
const esp = device('/dev/sda1', 'vfat', { pkname: 'sda', label: 'ESP' })
const one = device('/dev/sdb1', 'vfat', { pkname: 'sdb', label: 'KINGSTON' })
const two = device('/dev/sdc', 'exfat', { label: 'OTHER' })
const iso = device('/dev/sr0', 'iso9660', { label: 'CD', ro: true })
const listed = (...devices: object[]) => JSON.stringify({ blockdevices: devices })

test('the boot partition of this system is no stick, nor is what has another file system', t => {
  const found = mediaIn(listed(esp, one, device('/dev/sdd1', 'ext4'), device('/dev/sde', null)), '/dev/sda')
  t.deepEqual(
    found.map(({ path }) => path),
    ['/dev/sdb1'],
  )
  t.deepEqual(mediaIn('no JSON', null), [])
  t.deepEqual(mediaIn('{"blockdevices": 3}', null), [])
})

interface Failing {
  readonly mount?: number
  readonly umount?: number
}
function machine(devices: readonly object[], failing: Failing = {}) {
  const ran: string[] = []
  let umounts = 0
  const run: Run = async (program, args) => {
    ran.push([program, ...args].join(' '))
    const answer = (code = 0, stdout = '') => ({ code, stdout, stderr: '' })
    if (program === 'lsblk')
      return answer(0, args.includes('--list') ? listed(...devices) : '{"blockdevices":[]}')
    if (program === 'mount') return answer(failing.mount)
    // The first one clears what was left; it may fail.
    return answer(umounts++ === 0 ? 32 : failing.umount)
  }
  return { ran, sticks: sticks({ run, root: folder, paths: { ...paths, stick: folder } }) }
}

test('it is mounted for one act, without rights, and let go of again', async t => {
  const { ran, sticks: media } = machine([esp, one])
  // This test's machine knows no disk of its own: the boot partition counts as a stick as well.
  await t.throwsAsync(
    media.with('read', async () => 1),
    { code: 'STICK_SEVERAL' },
  )
  const alone = machine([one])
  t.is(await alone.sticks.with('write', async where => where), folder)
  const mount = alone.ran.find(line => line.startsWith('mount '))!
  t.regex(mount, /rw,nosuid,nodev,noexec,uid=900,gid=900/)
  t.is(alone.ran.filter(line => line === `umount ${folder}`).length, 1)
  t.false(ran.some(line => line.startsWith('mount ')))
})

test('none, several, one that cannot be written or read: a sentence each, and nothing is done', async t => {
  const work = async () => t.fail('nothing was to be done')
  await t.throwsAsync(machine([]).sticks.with('read', work), { code: 'STICK_NONE' })
  await t.throwsAsync(machine([one, two]).sticks.with('read', work), {
    code: 'STICK_SEVERAL',
    message: /KINGSTON.*OTHER/,
  })
  await t.throwsAsync(machine([iso]).sticks.with('write', work), { code: 'STICK_READ_ONLY' })
  await t.throwsAsync(machine([one], { mount: 32 }).sticks.with('read', work), { code: 'STICK_UNREADABLE' })
})

test('a stick that was pulled out while it was written to is said to be', async t => {
  const { ran, sticks: media } = machine([one], { umount: 32 })
  await t.throwsAsync(
    media.with('write', async () => 1),
    { code: 'STICK_LOST' },
  )
  t.true(ran.some(line => line.startsWith('umount --lazy')))
})

test('work that fails lets go of the stick, and its own error is what is said', async t => {
  const { ran, sticks: media } = machine([one])
  await t.throwsAsync(
    media.with('read', async () => {
      throw new Error('of the work')
    }),
    { message: 'of the work' },
  )
  t.true(ran.includes(`umount ${folder}`))
})

test('of ten thousand files only those are named that can be meant', t => {
  const crowded = mkdtempSync(join(folder, 'crowded-'))
  for (let i = 0; i < 2_000; i++) writeFileSync(join(crowded, `photo${i}.jpg`), '')
  for (const name of ['-rf.update', '.hidden.update', 'a b.update', 'good-1.0.update', 'x\x1b[2J.update'])
    writeFileSync(join(crowded, name), '')
  t.deepEqual(namesOn(crowded, /\.update$/), ['good-1.0.update'])
})

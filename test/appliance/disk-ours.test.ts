/** Which disk is ours among those of a machine, and where the system can be installed to. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseBlockDevices } from '../../appliance/disk/block-devices.ts'
import { installTargets, layout, tableScript } from '../../appliance/disk/install.ts'
import { awaitOurDisk, findOurDisk, rootHashOf } from '../../appliance/disk/our-disk.ts'

const rootHash = `${'ab'.repeat(16)}${'cd'.repeat(16)}`
const MiB = 1024 * 1024
const GiB = 1024 * MiB

interface Given {
  path: string
  esp?: string
  more?: object
  label?: 'a' | 'b'
}

/** As lsblk prints a disk with our system on it. */
function letroDisk({ path, esp = '11111111-0000-4000-8000-000000000000', label = 'a', more = {} }: Given) {
  const part = (number: number, partlabel: string, partuuid: string, size: number) => ({
    path: `${path}${number}`,
    type: 'part',
    size,
    partlabel,
    partuuid: partuuid.toUpperCase(),
    mountpoints: [null],
  })
  return {
    ...{ path, type: 'disk', size: 32 * GiB, 'log-sec': 512, ro: false, model: 'Disk', mountpoints: [null] },
    children: [
      part(1, 'esp', esp, 512 * MiB),
      part(2, `root-${label}`, 'abababab-abab-abab-abab-abababababab', GiB),
      part(3, `verity-${label}`, 'cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd', 32 * MiB),
    ],
    ...more,
  }
}

/** Where /proc says that the kernel was started with our root hash. */
async function startedRoot(t: ExecutionContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'letro-disk-'))
  t.teardown(() => rm(root, { recursive: true }))
  await mkdir(`${root}/proc`)
  await writeFile(`${root}/proc/cmdline`, `roothash=${rootHash}`)
  return root
}

const disks = (...blockdevices: object[]) => parseBlockDevices({ blockdevices })!

test('the root hash is taken from the command line, and from nowhere inside a word', t => {
  t.is(rootHashOf(`quiet roothash=${rootHash} ro`), rootHash)
  t.is(rootHashOf(`noroothash=${rootHash}`), null)
  t.is(rootHashOf(`roothash=${rootHash}0`), null)
  t.is(rootHashOf(''), null)
})

test('the disk with our slot is ours, other disks are not', t => {
  const other = { path: '/dev/sda', type: 'disk', size: GiB, children: [] }
  const ours = findOurDisk(disks(other, letroDisk({ path: '/dev/sdb', label: 'b' })), {
    rootHash,
    startedFrom: null,
  })
  t.is(ours.disk.path, '/dev/sdb')
  t.is(ours.slot, 'b')
  t.is(ours.root.path, '/dev/sdb2')
  t.is(ours.data, null)
})

test('of two disks with the same system it is the one that the firmware started', t => {
  const installed = '99999999-0000-4000-8000-000000000000'
  const both = disks(letroDisk({ path: '/dev/sda' }), letroDisk({ path: '/dev/sdb', esp: installed }))
  t.is(findOurDisk(both, { rootHash, startedFrom: installed }).disk.path, '/dev/sdb')
  t.throws(() => findOurDisk(both, { rootHash, startedFrom: null }), { code: 'DISK_AMBIGUOUS' })
})

test('nothing is guessed where the slot cannot be found', t => {
  const other = disks({ path: '/dev/sda', type: 'disk', size: GiB, children: [] })
  t.throws(() => findOurDisk(other, { rootHash, startedFrom: null }), { code: 'DISK_NOT_FOUND' })
  t.throws(() => findOurDisk(disks(letroDisk({ path: '/dev/sda' })), { rootHash: null, startedFrom: null }), {
    code: 'DISK_NOT_FOUND',
  })
})

test('a start goes on once udev knows the slot, and all that lies beside it', async t => {
  const root = await startedRoot(t)
  const known = letroDisk({ path: '/dev/sda' })
  const { children } = known
  const answers = [
    { ...known, children: [{ path: '/dev/sda1', type: 'part' }] },
    // The data is there, and nobody has said yet what it is.
    { ...known, children: [...children, { path: '/dev/sda6', type: 'part' }] },
    known,
  ]
  let looks = 0
  const run = async () => ({
    code: 0,
    stdout: JSON.stringify({ blockdevices: [answers[looks++]] }),
    stderr: '',
  })
  await awaitOurDisk({ root, run })
  t.is(looks, 3)
})

test('what lsblk prints of anything else is no list of disks', t => {
  for (const json of [null, {}, { blockdevices: 'none' }, []]) t.is(parseBlockDevices(json), null)
  t.deepEqual(disks({ type: 'disk' }, { path: '/dev/sr0', type: 'rom' }), [])
})

test('a model name brings no control characters to the screen', t => {
  const [disk] = disks({ path: '/dev/sda', type: 'disk', size: 1, model: 'Evil\u001b[2J disk  ' })
  t.is(disk?.model, 'Evil[2J disk')
})

const machineWith = (...blockdevices: object[]) => ({
  root: '/nowhere',
  run: async () => ({ code: 0, stdout: JSON.stringify({ blockdevices }), stderr: '' }),
})

test('the disk that runs is no target; others say what is on them, or why not', async t => {
  const root = await startedRoot(t)
  const plain = { type: 'disk', size: 100 * GiB, 'log-sec': 512, ro: false, mountpoints: [null] }
  const mounted = { path: '/dev/sdx1', type: 'part', mountpoints: ['/mnt'] }
  const mapped = { path: '/dev/sdy1', type: 'part', children: [{ type: 'lvm' }] }
  const targets = await installTargets({
    ...machineWith(
      letroDisk({ path: '/dev/sda' }),
      { ...plain, path: '/dev/sdb', model: 'Empty', serial: 'S1' },
      { ...plain, path: '/dev/sdc', children: [{ path: '/dev/sdc1', type: 'part' }] },
      { ...plain, path: '/dev/sdd', size: 2 * GiB },
      { ...plain, path: '/dev/sde', ro: true },
      { ...plain, path: '/dev/sdf', 'log-sec': 4096 },
      { ...plain, path: '/dev/sdx', children: [mounted] },
      { ...plain, path: '/dev/sdy', children: [mapped] },
      { ...plain, path: '/dev/zram0' },
      { ...plain, path: '/dev/sdz', size: MiB },
    ),
    root,
  })
  t.deepEqual(
    targets.map(({ path, holds, refused }) => [path, holds, refused]),
    [
      ['/dev/sdb', null, null],
      ['/dev/sdc', 'one partition', null],
      ['/dev/sdd', null, 'It has 2.0 GiB; at least 8.0 are needed.'],
      ['/dev/sde', null, 'It cannot be written.'],
      ['/dev/sdf', null, 'Its sectors have 4096 bytes; this system starts from disks with 512.'],
      ['/dev/sdx', 'one partition', 'It is in use.'],
      ['/dev/sdy', 'one partition', 'It is in use.'],
    ],
  )
  t.like(targets[0], { model: 'Empty', serial: 'S1', sizeBytes: 100 * GiB })
})

test('an installed disk has our slots under their own names, and an ESP of its own', t => {
  const ours = findOurDisk(disks(letroDisk({ path: '/dev/sdb', label: 'b' })), {
    rootHash,
    startedFrom: null,
  })
  const parts = layout(ours)
  t.deepEqual(
    parts.map(({ label, at, sizeBytes }) => [label, at / MiB, sizeBytes / MiB]),
    [
      ['esp', 1, 512],
      ['root-a', 513, 1024],
      ['verity-a', 1537, 32],
    ],
  )
  t.is(parts[1].id, ours.root.id!)
  t.not(parts[0].id, ours.esp.id!)
  t.regex(tableScript(parts), /^label: gpt\nlabel-id: [0-9A-F-]{36}\nstart=2048, size=1048576, type=C12A7328/)
})

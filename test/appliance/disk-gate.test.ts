/** The boot gate: which starts count, and when the machine goes back to the release before. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { consoleRuns } from '../../appliance/disk/console-runs.ts'
import { judge, type Seen } from '../../appliance/disk/gate.ts'
import {
  giveUpImage,
  hasOtherImage,
  keepImage,
  kernelImages,
  parseKernelImage,
  removeEmptyImages,
} from '../../appliance/disk/kernel-images.ts'
import { reportedImage } from '../../appliance/disk/report.ts'
import { enrolAtNextStart, enrolOnlyOnce, withEnrolment } from '../../appliance/disk/secure-boot.ts'
import { reachableAt } from '../../appliance/disk/server-answers.ts'
import { serverEnds } from '../../appliance/disk/server-ends.ts'
import { paths } from '../../appliance/paths.ts'

const ways = { tpm: true, recoveryKey: true, passphrase: false }
const open = { state: 'open', by: 'tpm', ways } as const
const locked = { state: 'locked', why: 'tpm-refused', ways } as const
const minute = 60_000

const seen: Seen = {
  good: false,
  disk: open,
  hasSite: true,
  server: 'serving',
  serverEnds: 0,
  consoleRuns: true,
  otherImage: true,
  elapsedMs: 0,
  openForMs: 0,
}

for (const [name, given, verdict] of [
  ['a new release whose server answers passes', {}, 'pass'],
  ['a new release without a site passes with the console', { hasSite: false, server: 'silent' }, 'pass'],
  ['a machine that is new passes with the console', { disk: { state: 'new', tpm: true } }, 'pass'],
  [
    'a console that does not run yet is waited for',
    { disk: { state: 'new', tpm: true }, consoleRuns: false },
    'wait',
  ],
  [
    'a console that never comes is a reason to go back',
    { hasSite: false, server: 'silent', consoleRuns: false, elapsedMs: 4 * minute },
    'back',
  ],
  ['a server that starts is waited for', { server: 'silent', openForMs: 5 * minute }, 'wait'],
  ['a server that ended and starts again is waited for', { server: 'silent', serverEnds: 2 }, 'wait'],
  ['a server that ends again and again is a reason to go back', { server: 'silent', serverEnds: 5 }, 'back'],
  ['a server that serves after all passes, however often it ended', { serverEnds: 9 }, 'pass'],
  ['a server that never answers is a reason to go back', { server: 'silent', openForMs: 7 * minute }, 'back'],
  [
    'a passphrase that was typed late starts the clock of the server',
    { server: 'silent', elapsedMs: 60 * minute, openForMs: minute },
    'wait',
  ],
  ['maintenance at once is waited for', { server: 'maintenance', openForMs: 1000 }, 'wait'],
  ['maintenance that stays is a reason to go back', { server: 'maintenance', openForMs: 2 * minute }, 'back'],
  ['a site alone, without the console, passes', { consoleRuns: false }, 'pass'],
  [
    'data that a new release cannot open is a reason to go back',
    { disk: locked, elapsedMs: 4 * minute },
    'back',
  ],
  [
    'data that waits for a passphrase waits for ever',
    { disk: { ...locked, why: 'passphrase' }, elapsedMs: 600 * minute },
    'wait',
  ],
  ['damaged data is a reason to go back', { disk: { state: 'damaged', sentence: '' } }, 'back'],
  ['a disk that nobody looked at is a reason to go back', { disk: null, elapsedMs: 4 * minute }, 'back'],
  [
    'nothing goes back where there is nothing to go back to',
    { server: 'silent', openForMs: 99 * minute, otherImage: false },
    'wait',
  ],
  [
    'a good release passes with the console, whatever the disk says',
    { good: true, disk: locked, server: 'silent' },
    'pass',
  ],
  [
    'a good release with damaged data passes',
    { good: true, disk: { state: 'damaged', sentence: '' } },
    'pass',
  ],
  [
    'a good release without a console goes back',
    { good: true, consoleRuns: false, elapsedMs: 4 * minute },
    'back',
  ],
] as const satisfies readonly (readonly [string, Partial<Seen>, string])[]) {
  test(name, t => t.is(judge({ ...seen, ...given }).kind, verdict))
}

async function espWith(t: { teardown(fn: () => unknown): void }, names: readonly string[]) {
  const esp = await mkdtemp('/tmp/letro-esp-')
  t.teardown(() => rm(esp, { recursive: true }))
  const folder = join(esp, 'EFI', 'Linux')
  await mkdir(folder, { recursive: true })
  for (const name of names) await writeFile(join(folder, name), name.endsWith('.efi') ? 'image' : '')
  return { root: esp, paths: { ...paths, esp }, folder }
}

test('names of kernel images are read as the boot loader does', t => {
  t.deepEqual(parseKernelImage('letro_1.2.3+2-1.efi'), { version: '1.2.3', triesLeft: 2 })
  t.deepEqual(parseKernelImage('LETRO_1.2.3+0-3.EFI'), { version: '1.2.3', triesLeft: 0 })
  t.deepEqual(parseKernelImage('letro_1.2.3.efi'), { version: '1.2.3', triesLeft: null })
  for (const name of [
    'letro_1.2.efi',
    'other_1.2.3.efi',
    'letro_1.2.3.good',
    'letro_1.2.3+.efi',
    'letro_1.2.3+3.efi.new',
  ])
    t.is(parseKernelImage(name), null, name)
})

test('a start that came far enough gets all tries back, and the release is good from then on', async t => {
  const machine = await espWith(t, ['letro_1.0.0+3.efi', 'letro_1.1.0+2-1.efi'])
  await keepImage(machine, '1.1.0')
  t.deepEqual((await readdir(machine.folder)).sort(), [
    'letro_1.0.0+3.efi',
    'letro_1.1.0+3.efi',
    'letro_1.1.0.good',
  ])
  await keepImage(machine, '1.1.0')
  t.is((await kernelImages(machine)).find(({ version }) => version === '1.1.0')?.good, true)
  t.is((await kernelImages(machine)).find(({ version }) => version === '1.0.0')?.good, false)
})

test('a release that did not come far enough has no tries left, and is the last to be taken', async t => {
  const machine = await espWith(t, ['letro_1.0.0+3.efi', 'letro_1.1.0+2-1.efi'])
  await giveUpImage(machine, '1.1.0')
  await giveUpImage(machine, '1.1.0')
  t.deepEqual((await readdir(machine.folder)).sort(), ['letro_1.0.0+3.efi', 'letro_1.1.0+0-3.efi'])
  t.is((await kernelImages(machine)).find(({ version }) => version === '1.1.0')?.triesLeft, 0)
})

test('what a cut left of a rename is cleared away, and the image stays', async t => {
  const machine = await espWith(t, ['letro_1.1.0+2-1.efi'])
  await writeFile(join(machine.folder, 'letro_1.1.0+3.efi'), '')
  await removeEmptyImages(machine)
  t.deepEqual(await readdir(machine.folder), ['letro_1.1.0+2-1.efi'])
  await keepImage(machine, '1.1.0')
  t.deepEqual((await readdir(machine.folder)).sort(), ['letro_1.1.0+3.efi', 'letro_1.1.0.good'])
})

test('only an image with tries left is one to go back to', t => {
  const image = (version: string, triesLeft: number | null) => ({ name: '', version, triesLeft, good: true })
  t.false(hasOtherImage([image('1.0.0', 3)], '1.0.0'))
  t.false(hasOtherImage([image('1.0.0', 3), image('0.9.0', 0)], '1.0.0'))
  t.true(hasOtherImage([image('1.0.0', 3), image('0.9.0', 2)], '1.0.0'))
  t.true(hasOtherImage([image('1.0.0', 3), image('0.9.0', null)], '1.0.0'))
})

test('an image without tries is bad, unless it runs just now', t => {
  const image = { name: '', version: '1.1.0', triesLeft: 0, good: true }
  t.is(reportedImage(image, '1.0.0').state, 'bad')
  t.is(reportedImage(image, '1.1.0').state, 'good')
  t.is(reportedImage({ ...image, good: false }, '1.1.0').state, 'trying')
})

test('a console that was started again a moment ago does not run yet', async t => {
  const show = (stdout: string) => ({ run: async () => ({ code: 0, stdout, stderr: '' }) })
  const active = show('ActiveState=active\nActiveEnterTimestampMonotonic=5000000\n')
  t.false(await consoleRuns(active, 6_000_000))
  t.true(await consoleRuns(active, 14_000_000))
  t.false(await consoleRuns(show('ActiveState=activating\nActiveEnterTimestampMonotonic=0\n'), 99_000_000))
})

test('how often the server ended is what systemd counts', async t => {
  t.is(await serverEnds({ run: async () => ({ code: 0, stdout: 'NRestarts=7\n', stderr: '' }) }), 7)
  t.is(await serverEnds({ run: async () => ({ code: 1, stdout: '', stderr: 'no bus' }) }), 0)
})

test('where the server listens is where the gate asks', t => {
  t.deepEqual(reachableAt('0.0.0.0:443'), { host: '127.0.0.1', port: 443 })
  t.deepEqual(reachableAt('[::]:443'), { host: '::1', port: 443 })
  t.deepEqual(reachableAt('192.0.2.7:8443'), { host: '192.0.2.7', port: 8443 })
  t.deepEqual(reachableAt('localhost:8008'), { host: 'localhost', port: 8008 })
  t.is(reachableAt('somewhere'), null)
})

test('enrolment is asked for once: the same length, in the same place', t => {
  const before = 'timeout 0\nsecure-boot-enroll if-safe\neditor no\n'
  const forced = withEnrolment(before, 'force')
  t.is(forced, 'timeout 0\nsecure-boot-enroll force  \neditor no\n')
  t.is(forced.length, before.length)
  t.is(withEnrolment(forced, 'if-safe'), before)
  t.is(withEnrolment('timeout 0', 'force'), 'timeout 0\nsecure-boot-enroll force  \n')
})

test('keys are enrolled in setup mode alone, and not a second time by themselves', async t => {
  const machine = await espWith(t, [])
  const loader = join(machine.paths.esp, 'loader')
  await mkdir(join(loader, 'keys/auto'), { recursive: true })
  await writeFile(join(loader, 'loader.conf'), 'timeout 0\nsecure-boot-enroll if-safe\n')
  const efivars = join(machine.root, 'sys/firmware/efi/efivars')
  await mkdir(efivars, { recursive: true })
  const flag = (name: string, on: boolean) =>
    writeFile(
      join(efivars, `${name}-8be4df61-93ca-11d2-aa0d-00e098032b8c`),
      Buffer.from([6, 0, 0, 0, on ? 1 : 0]),
    )
  await flag('SecureBoot', false)
  await flag('SetupMode', false)
  const ask = () => enrolAtNextStart(machine, { withMicrosoft: false })
  await t.throwsAsync(ask(), { code: 'SECURE_BOOT_IMPOSSIBLE', message: /setup mode/ })
  await flag('SetupMode', true)
  await t.throwsAsync(ask(), { code: 'SECURE_BOOT_IMPOSSIBLE', message: /without such keys/ })
  for (const name of ['PK', 'KEK', 'db']) await writeFile(join(loader, 'keys/auto', `${name}.auth`), name)
  await ask()
  const { readFile } = await import('node:fs/promises')
  t.regex(await readFile(join(loader, 'loader.conf'), 'utf8'), /^secure-boot-enroll force {2}$/m)
  await enrolOnlyOnce(machine)
  t.regex(await readFile(join(loader, 'loader.conf'), 'utf8'), /^secure-boot-enroll if-safe$/m)
  await t.throwsAsync(enrolAtNextStart(machine, { withMicrosoft: true }), { code: 'SECURE_BOOT_IMPOSSIBLE' })
})

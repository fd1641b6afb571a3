/** The updater on files: an update is applied and starts, goes back, is cut, is refused; what runs is never touched. */
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openBlockDevice } from '../../appliance/update/block-device.ts'
import { UpdateError } from '../../appliance/update/update-error.ts'
import { parseWindow } from '../../appliance/update/window.ts'
import { makeRelease, makeUpdateFile, TestAppliance, type TestRelease } from '../support/update-disk.ts'

const one = makeRelease('1.0.0')
const two = makeRelease('1.1.0', { counter: 2 })
const three = makeRelease('1.2.0', { counter: 2 })
const nobody = () => {}

async function appliance(t: ExecutionContext, release: TestRelease = one): Promise<TestAppliance> {
  const made = await TestAppliance.make(release)
  t.teardown(() => made.close())
  return made
}

/** As the gate leaves it: the release runs, and a marker says that it is good. */
async function startInto(made: TestAppliance, release: TestRelease): Promise<void> {
  const { version } = release.facts
  await writeFile(made.image(`letro_${version}.good`), '')
  made.installed = release
  made.bootId += '+'
}

test('an update is written to the other slot, waits, starts, and is known to run', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.spool, 'letro-1.1.0-amd64.update'), two)
  const updater = await made.updater()
  t.is((await updater.check(file, nobody)).version, two.facts.version as never)
  t.is((await made.boot([one, two]))?.facts.version, '1.0.0')
  const steps: string[] = []
  await updater.apply(file, ({ step, bytes, of }) => {
    t.true(bytes <= of)
    if (steps.at(-1) !== step) steps.push(step)
  })
  t.deepEqual(steps, ['check', 'clear', 'root', 'verity', 'table', 'uki'])
  t.deepEqual(await made.images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good', 'letro_1.1.0+3.efi'])
  t.is((await made.boot([one, two]))?.facts.version, '1.1.0')
  const waiting = await updater.status()
  t.is(waiting.waiting?.version, '1.1.0')
  t.is(waiting.slot, 'a')

  await startInto(made, two)
  const after = await (await made.updater()).status()
  t.is(after.running.version, '1.1.0')
  t.is(after.slot, 'b')
  t.is(after.waiting, null)
  t.deepEqual(
    after.events.map(event => event.kind),
    ['applied', 'runs'],
  )
})

test('the next update goes to the slot that was first', async t => {
  const made = await appliance(t)
  await (await made.updater()).apply(await makeUpdateFile(join(made.spool, 'a.update'), two), nobody)
  await startInto(made, two)
  const updater = await made.updater()
  await updater.apply(await makeUpdateFile(join(made.stick, 'b.update'), three), nobody)
  t.deepEqual(await made.images(), ['letro_1.1.0+3.efi', 'letro_1.1.0.good', 'letro_1.2.0+3.efi'])
  t.is((await made.boot([one, two, three]))?.facts.version, '1.2.0')
})

test('a version that the machine went back from is said, and may be tried again; what it replaced may not', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  await (await made.updater()).apply(file, nobody)
  await rename(made.image('letro_1.1.0+3.efi'), made.image('letro_1.1.0+0-3.efi'))
  made.bootId = 'boot-5'
  const updater = await made.updater()
  const status = await updater.status()
  t.is(status.went_back?.version, '1.1.0')
  t.is(status.events.at(-1)?.kind, 'went-back')
  const older = makeRelease('1.0.5', { counter: 1 })
  await t.throwsAsync(updater.check(await makeUpdateFile(join(made.spool, 'b.update'), older), nobody), {
    code: 'UPDATE_ROLLBACK',
  })
  await updater.apply(file, nobody)
  t.deepEqual(await made.images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good', 'letro_1.1.0+3.efi'])
  t.is((await updater.status()).went_back, null)
})

test('while the running version is on trial, the slot to go back to is not written over', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  await rename(made.image('letro_1.0.0+3.efi'), made.image('letro_1.0.0+2-1.efi'))
  await rm(made.image('letro_1.0.0.good'))
  const updater = await made.updater()
  await t.throwsAsync(updater.apply(file, nobody), { code: 'UPDATE_ON_TRIAL' })
  t.true((await updater.status()).on_trial)
})

test('a version on trial that fails later still counts as one that the machine went back from', async t => {
  const made = await appliance(t)
  await (await made.updater()).apply(await makeUpdateFile(join(made.spool, 'a.update'), two), nobody)
  await rename(made.image('letro_1.1.0+3.efi'), made.image('letro_1.1.0+2-1.efi'))
  made.installed = two
  made.bootId = 'boot-2'
  t.is((await (await made.updater()).status()).events.at(-1)?.kind, 'applied')
  await rename(made.image('letro_1.1.0+2-1.efi'), made.image('letro_1.1.0+0-3.efi'))
  made.installed = one
  made.bootId = 'boot-5'
  t.is((await (await made.updater()).status()).went_back?.version, '1.1.0')
})

test('an older version that somebody chose in the boot menu is no version that failed', async t => {
  const made = await appliance(t)
  await (await made.updater()).apply(await makeUpdateFile(join(made.spool, 'a.update'), two), nobody)
  made.bootId = 'boot-2'
  const status = await (await made.updater()).status()
  t.is(status.went_back, null)
  t.is(status.waiting?.version, '1.1.0')
})

test('it restarts by itself in the window alone, and once', async t => {
  const made = await appliance(t)
  const updater = await made.updater()
  await updater.setWindow(parseWindow('02:00-04:00'))
  await updater.apply(await makeUpdateFile(join(made.spool, 'a.update'), two), nobody)
  await updater.look()
  t.is(made.restarts, 0)
  made.now = Date.parse('2026-11-22T02:00:10')
  await updater.look()
  await updater.look()
  t.is(made.restarts, 1)
  // Back in the old version, the update still there: not again and again.
  made.bootId = 'boot-2'
  await (await made.updater()).look()
  t.is(made.restarts, 1)
  await updater.restartNow()
  t.is(made.restarts, 2)
})

test('without a window, or without an update, it never restarts', async t => {
  const made = await appliance(t)
  const updater = await made.updater()
  await t.throwsAsync(updater.restartNow(), { code: 'UPDATE_NOT_APPLIED' })
  await updater.setWindow(parseWindow('00:00-23:59'))
  await updater.look()
  await updater.setWindow(null)
  await updater.apply(await makeUpdateFile(join(made.spool, 'a.update'), two), nobody)
  await updater.look()
  t.is(made.restarts, 0)
})

test('a file that changes while it is written is noticed, and nothing leads to the slot', async t => {
  for (const part of ['root', 'verity', 'uki'] as const) {
    const made = await appliance(t)
    const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
    const bytes = await readFile(file)
    const at = bytes.indexOf(two.parts[part].subarray(100, 200))
    const updater = await made.updater()
    let isChanged = false
    const failed = updater.apply(file, ({ step }) => {
      if (step !== 'clear' || isChanged) return
      isChanged = true
      bytes[at]! ^= 1
      // In place: another file under that name would not be the one that is open.
      void writeFile(file, bytes, { flag: 'r+' })
    })
    await t.throwsAsync(failed, { instanceOf: UpdateError, code: 'UPDATE_CHANGED' }, part)
    t.deepEqual(await made.images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good'])
    t.is((await made.boot([one, two]))?.facts.version, '1.0.0')
  }
})

test('a disk that does not keep what it is given is noticed when it is read back', async t => {
  for (const place of ['root-b', 'verity-b'] as const) {
    const made = await appliance(t)
    const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
    const machine = made.machine()
    const updater = await made.updater({
      machine: {
        ...machine,
        openPartition: async partition => {
          const device = await machine.openPartition(partition)
          if (partition.name !== place) return device
          const flush = async () => {
            await device.write(4096, Buffer.from('worn out'))
            await device.flush()
          }
          return {
            size: device.size,
            read: (offset, length) => device.read(offset, length),
            write: (offset, bytes) => device.write(offset, bytes),
            flush,
            close: () => device.close(),
          }
        },
      },
    })
    await t.throwsAsync(updater.apply(file, nobody), { code: 'UPDATE_DISK' })
    t.deepEqual(await made.images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good'])
    t.is((await updater.status()).waiting, null)
  }
})

test('whatever moment the updater dies in, the next start is the running version or the new one, and the update goes on from there', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  const left: TestAppliance[] = []
  await (await made.updater()).apply(file, ({ step }) => {
    if (step !== 'check') left.push(made.copy())
  })
  t.true(left.length > 12)
  for (const dead of left) {
    const started = await dead.boot([one, two])
    t.truthy(started)
    dead.bootId = 'boot-2'
    if (started === two) await startInto(dead, two)
    const updater = await dead.updater()
    const { events } = await updater.status()
    if (started === two)
      t.deepEqual(
        events.map(event => event.kind),
        ['runs'],
      )
    else {
      t.deepEqual(
        events.map(event => event.kind),
        ['interrupted'],
      )
      t.deepEqual(await dead.images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good'])
      await updater.apply(join(dead.spool, 'a.update'), nobody)
      t.is(await dead.boot([one, two]), two)
    }
    await dead.close()
  }
})

test('an updater that dies with the last letter written, and is started again without a restart, applies it anew', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  let left: TestAppliance | null = null
  await (await made.updater()).apply(file, ({ step, bytes, of }) => {
    if (step === 'uki' && bytes === of) left = made.copy()
  })
  const dead = left! as TestAppliance
  t.teardown(() => dead.close())
  t.is(await dead.boot([one, two]), two)
  const updater = await dead.updater()
  t.is((await updater.status()).events.at(-1)?.kind, 'interrupted')
  t.is(await dead.boot([one, two]), one)
})

test('one act at a time, and status at any time', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  const updater = await made.updater()
  const applied = updater.apply(file, nobody)
  await t.throwsAsync(updater.check(file, nobody), { code: 'UPDATE_BUSY' })
  await t.throwsAsync(updater.restartNow(), { code: 'UPDATE_BUSY' })
  t.is((await updater.status()).underway?.act, 'apply')
  await applied
  t.is((await updater.status()).underway, null)
})

test('files are taken from the spool and the stick alone, and no link leads out of them', async t => {
  const made = await appliance(t)
  const file = await makeUpdateFile(join(made.folder, 'a.update'), two)
  await symlink(file, join(made.spool, 'link.update'))
  const updater = await made.updater()
  for (const path of [file, join(made.spool, '../a.update'), 'a.update', join(made.spool, '.part')])
    await t.throwsAsync(updater.check(path, nobody), { code: 'UPDATE_BAD_REQUEST' }, path)
  await t.throwsAsync(updater.check(join(made.spool, 'link.update'), nobody), { code: 'UPDATE_UNREADABLE' })
  await t.throwsAsync(updater.check(join(made.spool, 'none.update'), nobody), { code: 'UPDATE_UNREADABLE' })
})

test('an EFI partition without the running kernel image loses none of the others', async t => {
  const made = await appliance(t)
  await rename(made.image('letro_1.0.0+3.efi'), made.image('letro_0.9.0+3.efi'))
  const updater = await made.updater()
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  await t.throwsAsync(updater.apply(file, nobody), { code: 'UPDATE_ESP' })
  t.deepEqual(await made.images(), ['letro_0.9.0+3.efi', 'letro_1.0.0.good'])
})

test('a record that nobody can read is put aside, and the running release’s counter is the floor', async t => {
  const made = await appliance(t)
  const updater = await made.updater()
  await updater.setWindow(parseWindow('01:00-02:00'))
  await writeFile(made.recordFile, '{"counter": 3, "wind')
  const status = await (await made.updater()).status()
  t.is(status.window, null)
  t.is(await readFile(`${made.recordFile}.damaged`, 'utf8'), '{"counter": 3, "wind')
})

test('a data disk that is opened after the updater began is believed from then on', async t => {
  const made = await appliance(t)
  const early = await made.updater()
  await mkdir(join(made.folder, 'settings'))
  await writeFile(made.recordFile, '{"counter":3,"window":"01:00-02:00","events":[]}')
  t.is((await early.status()).window, '01:00-02:00')
  const file = await makeUpdateFile(join(made.spool, 'a.update'), two)
  await t.throwsAsync(early.apply(file, nobody), { code: 'UPDATE_ROLLBACK' })
})

test('a partition is never written beyond its end', async t => {
  const made = await appliance(t)
  const device = await openBlockDevice(made.disk, 'write', { start: 4096, size: 8192 })
  t.teardown(() => device.close())
  await t.throwsAsync(device.write(8000, Buffer.alloc(200)), { instanceOf: RangeError })
  await device.write(8000, Buffer.alloc(192, 7))
  await device.flush()
  t.deepEqual(await device.read(7990, 1000), Buffer.concat([Buffer.alloc(10), Buffer.alloc(192, 7)]))
})

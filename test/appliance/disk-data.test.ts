/** The data partition from the first start to the factory reset, with the power cut at every step. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { readDiskState } from '../../appliance/disk/disk-state.ts'
import { factoryReset } from '../../appliance/disk/factory-reset.ts'
import { createData, type NewData, requireNewDisk } from '../../appliance/disk/new-data.ts'
import { checkSecret, openAtStart, openDataBySecret } from '../../appliance/disk/open-data.ts'
import { ourDisk } from '../../appliance/disk/our-disk.ts'
import { newRecoveryKey, type RecoveryKey } from '../../appliance/disk/recovery-key.ts'
import { changePassphrase, changeRecoveryKey, sealToTpm } from '../../appliance/disk/secrets.ts'
import { beginProvisioning } from '../../appliance/stick/pending.ts'
import { FakeDisk, PowerCut } from './disk-fake.ts'

const passphrase = 'seven green bicycles'
const quiet = () => {}

function wish(
  recoveryKey: RecoveryKey,
  unlock: NewData['unlock'] = { by: 'tpm', bindSecureBoot: false },
): NewData {
  return { recoveryKey, typedBack: recoveryKey, unlock }
}

async function newDisk(t: { teardown(fn: () => void): void }): Promise<FakeDisk> {
  const disk = await FakeDisk.make()
  t.teardown(() => disk.remove())
  return disk
}

const start = async ({ machine }: FakeDisk) => openAtStart(machine, await ourDisk(machine))

test('a new disk becomes one that opens by itself, and by the recovery key', async t => {
  const disk = await newDisk(t)
  t.deepEqual(await start(disk), { state: 'new', tpm: true })
  const key = newRecoveryKey()
  const steps: string[] = []
  await createData(disk.machine, wish(key), step => steps.push(step))
  t.deepEqual(steps, ['partitions', 'encrypt', 'seal', 'filesystem', 'open'])
  t.true(disk.mounted)
  const ways = { tpm: true, recoveryKey: true, passphrase: false }
  t.deepEqual(await readDiskState(disk.machine), { state: 'open', by: 'creation', ways })
  disk.powerOn()
  t.deepEqual(await start(disk), { state: 'open', by: 'tpm', ways })
  disk.powerOn()
  t.is(await openDataBySecret(disk.machine, key.toUpperCase()), 'recovery-key')
  t.true(disk.mounted)
})

test('nothing is written before the key was typed back', async t => {
  const disk = await newDisk(t)
  const typedBack = newRecoveryKey()
  await t.throwsAsync(createData(disk.machine, { ...wish(newRecoveryKey()), typedBack }, quiet), {
    code: 'KEY_NOT_TYPED_BACK',
  })
  t.deepEqual(disk.acts, [])
})

for (const by of ['tpm', 'passphrase'] as const) {
  const unlock = by === 'tpm' ? ({ by, bindSecureBoot: false } as const) : ({ by, passphrase } as const)

  test(`a power cut at any step of the first start leaves a disk that is new or whole (${by})`, async t => {
    const whole = await newDisk(t)
    await createData(whole.machine, wish(newRecoveryKey(), unlock), quiet)
    t.true(whole.acts.length >= 8)
    let finished = 0
    for (let act = 1; act <= whole.acts.length; act++) {
      for (const when of ['before', 'after'] as const) {
        const disk = await newDisk(t)
        const key = newRecoveryKey()
        disk.cutAt = { act, when }
        await t.throwsAsync(createData(disk.machine, wish(key, unlock), quiet), { instanceOf: PowerCut })
        disk.powerOn()
        const { state } = await start(disk)
        if (state === 'new') {
          const next = newRecoveryKey()
          await createData(disk.machine, wish(next, unlock), quiet)
          disk.powerOn()
          await openDataBySecret(disk.machine, next)
        } else {
          finished++
          t.is(state, by === 'tpm' ? 'open' : 'locked', `${when} ${whole.acts[act - 1]}`)
          await openDataBySecret(disk.machine, by === 'tpm' ? key : passphrase)
        }
        t.true(disk.mounted)
      }
    }
    t.true(finished > 0)
  })
}

test('data is never formatted over', async t => {
  const disk = await newDisk(t)
  await createData(disk.machine, wish(newRecoveryKey()), quiet)
  await t.throwsAsync(createData(disk.machine, wish(newRecoveryKey()), quiet), { code: 'DATA_NOT_NEW' })
  disk.header = null
  disk.powerOn()
  const state = await start(disk)
  t.is(state.state, 'damaged')
  await t.throwsAsync(createData(disk.machine, wish(newRecoveryKey()), quiet), { code: 'DATA_NOT_NEW' })
  disk.hasData = false
  t.is((await start(disk)).state, 'damaged')
})

test('another TPM does not open; the recovery key does, and seals to it', async t => {
  const disk = await newDisk(t)
  const key = newRecoveryKey()
  await createData(disk.machine, wish(key), quiet)
  disk.tpm = 'tpm-2'
  disk.powerOn()
  const ways = { tpm: true, recoveryKey: true, passphrase: false }
  t.deepEqual(await start(disk), { state: 'locked', why: 'tpm-refused', ways })
  await openDataBySecret(disk.machine, key)
  await sealToTpm(disk.machine, key, { bindSecureBoot: false })
  disk.powerOn()
  t.deepEqual(await start(disk), { state: 'open', by: 'tpm', ways })
  t.is(disk.header!.slots.size, 2, 'what was sealed to the old one is gone')
  disk.tpm = null
  disk.powerOn()
  t.deepEqual(await start(disk), { state: 'locked', why: 'no-tpm', ways })
})

test('without a TPM a passphrase is needed, and waits for somebody', async t => {
  const disk = await newDisk(t)
  disk.tpm = null
  disk.powerOn()
  await t.throwsAsync(createData(disk.machine, wish(newRecoveryKey()), quiet), { code: 'TPM_ABSENT' })
  const weak = wish(newRecoveryKey(), { by: 'passphrase', passphrase: 'aaaaaaaaaaaaaaaa' })
  await t.throwsAsync(createData(disk.machine, weak, quiet), { code: 'PASSPHRASE_WEAK' })
  t.deepEqual(disk.acts, [])
  await createData(disk.machine, wish(newRecoveryKey(), { by: 'passphrase', passphrase }), quiet)
  disk.powerOn()
  const ways = { tpm: false, recoveryKey: true, passphrase: true }
  t.deepEqual(await start(disk), { state: 'locked', why: 'passphrase', ways })
  await t.throwsAsync(openDataBySecret(disk.machine, 'seven green bicycle'), { code: 'KEY_WRONG' })
  t.is(await openDataBySecret(disk.machine, passphrase), 'passphrase')
})

test('a typo in the recovery key is named before the disk is asked; a key of another machine is refused', async t => {
  const disk = await newDisk(t)
  const key = newRecoveryKey()
  await createData(disk.machine, wish(key, { by: 'passphrase', passphrase }), quiet)
  const typo = `${key.slice(0, 6)}${key[6] === 'c' ? 'b' : 'c'}${key.slice(7)}`
  await t.throwsAsync(checkSecret(disk.machine, typo), { code: 'KEY_MALFORMED', message: /^Group 2 / })
  await t.throwsAsync(checkSecret(disk.machine, newRecoveryKey()), { code: 'KEY_WRONG' })
  t.is(await checkSecret(disk.machine, key), 'recovery-key')
})

test('binding to Secure Boot needs it to be on', async t => {
  const disk = await newDisk(t)
  const bound = wish(newRecoveryKey(), { by: 'tpm', bindSecureBoot: true })
  disk.setEfiFlag('SecureBoot', false)
  await t.throwsAsync(createData(disk.machine, bound, quiet), { code: 'SECURE_BOOT_OFF' })
  disk.setEfiFlag('SecureBoot', true)
  await createData(disk.machine, bound, quiet)
  t.true(disk.mounted)
})

test('a changed secret opens, the old one does not; a cut at any step leaves at least one of them', async t => {
  const key = newRecoveryKey()
  const nextKey = newRecoveryKey()
  const nextPassphrase = 'eight yellow tricycles'
  const made = async () => {
    const disk = await newDisk(t)
    await createData(disk.machine, wish(key, { by: 'passphrase', passphrase }), quiet)
    return disk
  }
  for (const { change, old, next } of [
    {
      change: (disk: FakeDisk) => changePassphrase(disk.machine, key, nextPassphrase),
      old: passphrase,
      next: nextPassphrase,
    },
    {
      change: (disk: FakeDisk) =>
        changeRecoveryKey(disk.machine, passphrase, { recoveryKey: nextKey, typedBack: nextKey }),
      old: key,
      next: nextKey,
    },
  ]) {
    const disk = await made()
    const before = disk.acts.length
    await change(disk)
    await checkSecret(disk.machine, next)
    await t.throwsAsync(checkSecret(disk.machine, old), { code: 'KEY_WRONG' })
    t.is(disk.header!.slots.size, 2)
    const acts = disk.acts.length - before
    for (let act = 1; act <= acts; act++) {
      const cut = await made()
      cut.cutAt = { act: cut.acts.length + act, when: 'after' }
      await t.throwsAsync(change(cut), { instanceOf: PowerCut })
      cut.powerOn()
      const opens = await Promise.allSettled([old, next].map(secret => checkSecret(cut.machine, secret)))
      t.true(
        opens.some(({ status }) => status === 'fulfilled'),
        `after ${disk.acts[before + act - 1]}`,
      )
    }
  }
})

test('a factory reset leaves nothing that opens, and a power cut at any step of it neither', async t => {
  const whole = await newDisk(t)
  await createData(whole.machine, wish(newRecoveryKey()), quiet)
  const before = whole.acts.length
  await factoryReset(whole.machine, quiet)
  t.false(whole.mounted)
  t.deepEqual(await readDiskState(whole.machine), { state: 'new', tpm: true })
  const erased = whole.acts.indexOf('cryptsetup erase') + 1
  t.true(erased > before)
  for (let act = erased; act <= whole.acts.length; act++) {
    const disk = await newDisk(t)
    const key = newRecoveryKey()
    await createData(disk.machine, wish(key), quiet)
    disk.cutAt = { act, when: 'after' }
    await t.throwsAsync(factoryReset(disk.machine, quiet), { instanceOf: PowerCut })
    disk.powerOn()
    t.is((await start(disk)).state, 'new', `after ${whole.acts[act - 1]}`)
    await t.throwsAsync(openDataBySecret(disk.machine, key), { code: 'DATA_NOT_THERE' })
    await createData(disk.machine, wish(newRecoveryKey()), quiet)
    t.true(disk.mounted)
  }
})

test('a damaged file system is said, and not mounted', async t => {
  const disk = await newDisk(t)
  const key = newRecoveryKey()
  await createData(disk.machine, wish(key), quiet)
  disk.powerOn()
  disk.fileSystem = 'broken'
  const state = await start(disk)
  t.is(state.state, 'damaged')
  t.regex((state as { sentence: string }).sentence, /file ?system is damaged/)
  t.false(disk.mounted)
})

test('a disk that is too small is refused with both sizes', async t => {
  const disk = await newDisk(t)
  disk.sizeBytes = 4 * 1024 ** 3
  const refused = { code: 'DISK_TOO_SMALL', message: /has 4\.0 GiB; at least 4\.\d GiB/ }
  await t.throwsAsync(requireNewDisk(disk.machine), refused)
  await t.throwsAsync(createData(disk.machine, wish(newRecoveryKey()), quiet), refused)
  t.deepEqual(disk.acts, [])
})

test('no secret is an argument of a program, and none stays in a file', async t => {
  const disk = await newDisk(t)
  const key = newRecoveryKey()
  const lines: string[] = []
  const { run } = disk.machine
  const machine = {
    ...disk.machine,
    run: ((program, args, options) => {
      lines.push([program, ...args].join(' '))
      return run(program, args, options)
    }) as typeof run,
  }
  await createData(machine, wish(key, { by: 'passphrase', passphrase }), quiet)
  await sealToTpm(machine, key, { bindSecureBoot: false })
  t.false(lines.some(line => line.includes(key) || line.includes(passphrase)))
  t.deepEqual(existsSync(join(disk.machine.paths.run, 'secrets')) && (await filesIn(disk)), [])
})

async function filesIn(disk: FakeDisk): Promise<string[]> {
  const { readdir } = await import('node:fs/promises')
  return readdir(join(disk.machine.paths.run, 'secrets'))
}

test('the mark on the ESP comes back when somebody removed it', async t => {
  const disk = await newDisk(t)
  await createData(disk.machine, wish(newRecoveryKey()), quiet)
  const mark = join(disk.machine.paths.esp, 'letro/data.json')
  t.deepEqual(JSON.parse(readFileSync(mark, 'utf8')), { luks: '5f0c' })
  rmSync(mark)
  disk.powerOn()
  await start(disk)
  t.true(existsSync(mark))
  writeFileSync(mark, '')
  disk.powerOn()
  t.is((await start(disk)).state, 'open')
})

test('a clock that is behind is set before anything that stands on the data starts', async t => {
  const disk = await newDisk(t)
  await createData(disk.machine, wish(newRecoveryKey()), quiet)
  const lastTs = Date.now() + 86_400_000
  writeFileSync(join(disk.machine.paths.settings, 'clock.json'), JSON.stringify({ lastTs }))
  disk.powerOn()
  disk.acts.length = 0
  t.is((await start(disk)).state, 'open')
  const acts = disk.acts.slice(disk.acts.findIndex(act => act.startsWith('date')))
  t.deepEqual(acts, ['date --utc', 'hwclock --systohc', 'systemctl start'])
  const { state, setTs } = JSON.parse(readFileSync(join(disk.machine.paths.run, 'clock.json'), 'utf8'))
  t.deepEqual({ state, setTs }, { state: 'behind', setTs: lastTs })
})

test('a clock that nobody can set keeps nobody from the data', async t => {
  const disk = await newDisk(t)
  await createData(disk.machine, wish(newRecoveryKey()), quiet)
  writeFileSync(
    join(disk.machine.paths.settings, 'clock.json'),
    JSON.stringify({ lastTs: Date.now() + 86_400_000 }),
  )
  disk.powerOn()
  const { run } = disk.machine
  const broken = {
    ...disk.machine,
    run: ((program, ...rest) =>
      program === 'date' || program === 'hwclock'
        ? Promise.resolve({ code: 1, stdout: '', stderr: 'no RTC' })
        : run(program, ...rest)) as typeof run,
  }
  t.is((await openAtStart(broken, await ourDisk(broken))).state, 'open')
  t.true(disk.mounted)
})

test('no machine is new while the partition that would know better cannot be read', async t => {
  const disk = await newDisk(t)
  await createData(disk.machine, wish(newRecoveryKey()), quiet)
  const { esp } = disk.machine.paths
  const mounted = join(esp, 'EFI')
  for (const lost of ['the header', 'the partition']) {
    disk.powerOn()
    if (lost === 'the header') disk.header = null
    else disk.hasData = false
    renameSync(esp, `${esp}.away`)
    const unknown = await start(disk)
    t.is(unknown.state, 'damaged', lost)
    t.regex(unknown.state === 'damaged' ? unknown.sentence : '', /nobody can say whether/)
    renameSync(`${esp}.away`, esp)
    t.true(existsSync(mounted))
    const known = await start(disk)
    t.is(known.state, 'damaged', `${lost}: the mark says that there was data`)
  }
})

for (const isSite of [true, false]) {
  test(`settings of a setup that was cut off ${isSite ? 'are taken over with its site' : 'go where there is no site'}`, async t => {
    const disk = await newDisk(t)
    await createData(disk.machine, wish(newRecoveryKey()), quiet)
    const { settings, configFile } = disk.machine.paths
    beginProvisioning(disk.machine, null, { servers: ['time.clinic.example'], nts: false })
    if (isSite) writeFileSync(configFile, '')
    disk.powerOn()
    t.is((await start(disk)).state, 'open')
    t.false(existsSync(join(settings, 'pending')))
    t.is(existsSync(join(settings, 'time.json')), isSite)
  })
}

/** What an appliance's machine report turns into: findings, and a reading. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { findingsOf, openAppliance } from '../../server/health/appliance.ts'
import { type MachineReport, parseMachineReport } from '../../server/protocol/machine-report.ts'

const well: MachineReport = {
  release: { version: '1.2.0', counter: 3, architecture: 'amd64', development: false },
  slots: {
    running: 'b',
    images: [
      { version: '1.1.0', state: 'good', triesLeft: 3, running: false },
      { version: '1.2.0', state: 'good', triesLeft: 3, running: true },
    ],
  },
  secureBoot: 'on',
  tpm: 'present',
  clock: 'fine',
  data: { state: 'open', openedBy: 'tpm', sealed: true },
}

const found = (report: MachineReport) => findingsOf(report).map(({ code, severity }) => [code, severity])

test('a machine that is well has nothing to say', t => {
  t.deepEqual(found(well), [])
})

test('a release that was tried and did not prove itself is named, with the one that runs', t => {
  const images = [
    { version: '1.2.0', state: 'good', triesLeft: 3, running: true },
    { version: '1.3.0', state: 'bad', triesLeft: 0, running: false },
  ] as const
  const [finding] = findingsOf({ ...well, slots: { ...well.slots, images } })
  t.is(finding?.code, 'appliance.went-back')
  t.deepEqual(finding?.facts, { failed: '1.3.0', running: '1.2.0' })
})

test('a release that is still being tried is no finding', t => {
  const images = [{ version: '1.3.0', state: 'trying', triesLeft: 2, running: true }] as const
  t.deepEqual(found({ ...well, slots: { ...well.slots, images } }), [])
})

for (const state of ['off', 'setup', 'unsupported'] as const) {
  test(`Secure Boot that is ${state} is found`, t => {
    t.deepEqual(found({ ...well, secureBoot: state }), [['appliance.secure-boot-off', 'warning']])
  })
}

test('a development image is a note: whoever tries one was told, and a new site begins without an alarm', t => {
  t.deepEqual(found({ ...well, release: { ...well.release, development: true } }), [
    ['appliance.development', 'note'],
  ])
})

test('sealed data that the TPM did not open is an alarm; a machine that never had one is a note', t => {
  const opened = { ...well.data, openedBy: 'recovery-key' as const }
  t.deepEqual(found({ ...well, data: opened }), [['appliance.tpm-failed', 'alarm']])
  t.deepEqual(found({ ...well, tpm: 'absent', data: opened }), [['appliance.tpm-failed', 'alarm']])
  const byHand = { state: 'open', openedBy: 'passphrase', sealed: false } as const
  t.deepEqual(found({ ...well, tpm: 'absent', data: byHand }), [['appliance.tpm-absent', 'note']])
})

test('the data that was just created is not a TPM that failed', t => {
  t.deepEqual(found({ ...well, data: { ...well.data, openedBy: 'creation' } }), [])
})

test('a report that is missing, cut or of another form makes the source fail', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-report-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'machine.json')
  const { source, reading } = openAppliance(file)
  await t.throwsAsync(source(0))
  await writeFile(file, JSON.stringify(well).slice(0, 40))
  await t.throwsAsync(source(0))
  await writeFile(file, JSON.stringify({ ...well, tpm: 'perhaps' }))
  await t.throwsAsync(source(0), { message: /is not a machine report/ })
  await writeFile(file, JSON.stringify(well))
  t.deepEqual(await source(0), [])
  t.like(await reading(0), { version: '1.2.0', slot: 'b', secure_boot: 'on', tpm: 'present' })
})

test('only a whole report is one', t => {
  t.deepEqual(parseMachineReport(JSON.parse(JSON.stringify(well))), well)
  const without = (name: string) => ({ ...well, [name]: undefined })
  for (const name of Object.keys(well)) t.is(parseMachineReport(without(name)), null, name)
  for (const wrong of [
    null,
    [],
    'report',
    { ...well, slots: { ...well.slots, running: 'c' } },
    { ...well, slots: { ...well.slots, images: [{ version: 1 }] } },
    { ...well, release: { ...well.release, counter: 1.5 } },
    { ...well, data: { ...well.data, state: 'ajar' } },
  ]) {
    t.is(parseMachineReport(wrong), null)
  }
})

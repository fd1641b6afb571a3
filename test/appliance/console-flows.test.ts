import test from 'ava'
import { idleMs, update } from '../../appliance/console/console.ts'
import { flows } from '../../appliance/console/flows/catalogue.ts'
import { MachineRefused, type Method } from '../../appliance/console/machine.ts'
import {
  goodStick,
  newMachine,
  recoveryKey,
  servingMachine,
  testLink,
  testMachine,
} from './console-machine.ts'
import { Person } from './console-person.ts'

const at = async (facts = servingMachine) => new Person(testMachine(facts)).arrive()
const called = ({ machine }: Person, method: Method) => machine.calls.filter(call => call.method === method)
const menu = async (entry: string, facts = servingMachine) => {
  const person = await at(facts)
  await person.press('enter')
  return person.choose(entry)
}

async function answerAll(person: Person): Promise<void> {
  await person.choose('Set it up here')
  await person.type('clinic.example')
  await person.press('enter')
  await person.type('clinic.example')
  await person.press('enter', 'enter')
  await person.type('clinic.example')
  await person.press('enter', 'enter')
  await person.choose('A private authority')
  await person.press('enter', 'enter', 'enter')
  await person.choose('Automatic')
  await person.choose('Yes, set it up')
}

test('a new machine: nothing is written before the recovery key was typed back', async t => {
  const person = await at(newMachine)
  await answerAll(person)
  await person.choose('A signed system')
  t.true(person.screen.includes(recoveryKey.slice(0, 8)))
  await person.choose('I have written it down')
  t.false(person.screen.includes(recoveryKey.slice(0, 8)))
  await person.type(recoveryKey.slice(1))
  await person.press('enter')
  t.regex(person.screen, /not the key|is not right|letters/)
  const writing: Method[] = ['prepareDisk', 'setUpSite', 'firstAdministratorLink', 'tryNetwork']
  t.deepEqual(
    person.machine.calls.filter(({ method }) => writing.includes(method)),
    [],
  )
  await person.press('clear')
  await person.type(recoveryKey.toUpperCase().replaceAll('-', ' '))
  await person.press('enter')
  t.deepEqual(called(person, 'prepareDisk')[0]!.input, {
    recoveryKey,
    typedBack: recoveryKey,
    passphrase: null,
    bindsSecureBoot: false,
  })
  t.deepEqual(called(person, 'setUpSite').length, 1)
  // The link only after name and certificate were looked at.
  t.regex(person.screen, /Look at these before the first link is made/)
  t.is(called(person, 'firstAdministratorLink').length, 0)
  await person.choose('They are right')
  t.true(person.screen.includes(testLink.slice(0, 50)))
})

test('the answers have the form of letro.json', async t => {
  const person = await at({ ...newMachine, disk: { state: 'open', sentence: null, opensBy: 'tpm' } })
  await answerAll(person)
  t.deepEqual(called(person, 'setUpSite')[0]!.input, {
    answers: {
      letro: 1,
      server_name: 'clinic.example',
      origin: 'https://clinic.example',
      administrator: 'admin',
      certificate: { from: 'own' },
      listen: { federation: '[::]:8448' },
      time: { servers: [] },
    },
  })
  t.is(called(person, 'prepareDisk').length, 0)
})

test('a serial line offers no QR code: its signs are none that a phone reads', async t => {
  for (const [line, isOffered] of [
    ['console', true],
    ['serial', false],
  ] as const) {
    const machine = testMachine({ ...servingMachine, hasAdministrator: false })
    const person = await new Person(machine, { columns: 80, rows: 40 }, line).arrive()
    await person.press('enter')
    await person.choose('First administrator')
    await person.choose('They are right')
    t.is(/QR/.test(person.screen), isOffered, line)
    t.regex(person.screen, /\/enrol#/, line)
    await person.choose('Done')
    t.notRegex(person.screen, /\/enrol#/, line)
  }
})

test('Escape goes back question by question, and what was typed is still there', async t => {
  const person = await at(newMachine)
  await person.choose('Set it up here')
  await person.type('clinic.example')
  await person.press('enter')
  await person.type('clinic.example')
  await person.press('enter')
  t.regex(person.screen, /Address that people open/)
  await person.press('escape')
  t.regex(person.screen, /server name . clinic\.example/)
  await person.press('escape')
  t.regex(person.screen, /Welcome/)
})

test('a name typed differently the second time goes no further, nor does one that no server can have', async t => {
  for (const [first, again] of [
    ['clinic.example', 'clinic.exampel'],
    ['192.0.2.1', '192.0.2.1'],
    ['localhost', 'localhost'],
    ['-x.example', '-x.example'],
    ['', ''],
  ] as const) {
    const person = await at(newMachine)
    await person.choose('Set it up here')
    await person.type(first)
    await person.press('enter')
    await person.type(again)
    await person.press('enter')
    t.regex(person.screen, /once more/, first)
    t.regex(person.screen, /not the same|is needed/, first)
  }
})

test('without a TPM a passphrase comes first, twice', async t => {
  const person = await at({ ...newMachine, tpm: 'absent' })
  await answerAll(person)
  t.regex(person.screen, /no TPM/)
  for (const [first, again] of [
    ['short', 'short'],
    ['correct horse battery', 'correct horse baterry'],
  ] as const) {
    await person.press('clear')
    await person.type(first)
    await person.press('enter', 'clear')
    await person.type(again)
    await person.press('enter')
    t.regex(person.screen, /no TPM/)
    await person.press('up', 'up')
  }
  await person.press('clear')
  await person.type('correct horse battery')
  await person.press('enter', 'clear')
  await person.type('correct horse battery')
  await person.press('enter')
  t.regex(person.screen, /recovery key/)
  t.notRegex(person.screen, /horse/)
})

test('a machine that is not known yet is never taken for one without a TPM', async t => {
  const person = await at({ ...newMachine, tpm: 'unknown', secureBoot: 'unknown' })
  await answerAll(person)
  t.regex(person.screen, /not known yet/)
  await person.choose('Look again')
  t.regex(person.screen, /not known yet/)
  person.machine.facts = newMachine
  await person.choose('Look again')
  t.regex(person.screen, /What the TPM asks/)
})

test('what the machine refuses is said, and the answers are not lost', async t => {
  const person = await at({ ...newMachine, disk: { state: 'open', sentence: null, opensBy: 'tpm' } })
  person.machine.refuse(
    'setUpSite',
    new MachineRefused('SITE_REFUSED', 'Nothing was set up.', [
      { field: 'time.servers', sentence: 'the clock is 3 days behind' },
    ]),
  )
  await answerAll(person)
  t.regex(person.screen, /the clock is 3 days behind/)
  await person.choose('Try again')
  t.is(called(person, 'setUpSite').length, 2)
  t.regex(person.screen, /Look at these/)
})

test('a stick is applied once it was approved; a malformed or forged one cannot be', async t => {
  const person = await at({ ...newMachine, disk: { state: 'open', sentence: null, opensBy: 'tpm' } })
  await person.choose('Set it up from a stick')
  t.regex(person.screen, /No provisioning stick/)
  person.machine.refuse(
    'readStick',
    new MachineRefused('STICK_FORGED', 'What stands on the stick is not what was signed.', [
      { field: 'server_name', sentence: 'what is needed is a DNS name' },
    ]),
  )
  await person.choose('Look again')
  t.regex(person.screen, /not what was signed/)
  t.regex(person.screen, /server_name/)
  t.notRegex(person.screen, /Yes, as it stands/)
  person.machine.stick = goodStick
  await person.choose('Read it again')
  for (const word of goodStick.fingerprint) t.true(person.screen.includes(word), word)
  t.is(called(person, 'applyStick').length, 0)
  await person.choose('Yes, as it stands here')
  t.deepEqual(called(person, 'applyStick')[0]!.input, { fingerprint: goodStick.fingerprint })
})

test('a stick of somebody whom the machine trusts needs no approval, and yet the recovery key is typed back', async t => {
  const person = await at(newMachine)
  person.machine.stick = { ...goodStick, signature: { kind: 'trusted', by: 'stick-2026' } }
  await person.choose('Set it up from a stick')
  await person.choose('A signed system')
  t.regex(person.screen, /write it down now/)
  t.is(called(person, 'prepareDisk').length, 0)
  t.is(called(person, 'applyStick').length, 0)
})

test('a disk that is too small is told before anything is asked', async t => {
  const person = await at({ ...newMachine, tpm: 'absent' })
  const sentence = 'The disk /dev/sda has 4.0 GiB; at least 4.6 GiB are needed.'
  person.machine.refuse('newRecoveryKey', new MachineRefused('DISK_TOO_SMALL', sentence))
  await person.choose('Set it up here')
  t.regex(person.screen, /at least 4\.6 GiB/)
  t.notRegex(person.screen, /server name/)
})

test('with a PIN nothing but the home is shown before it is typed', async t => {
  const person = await at({ ...servingMachine, hasPin: true })
  await person.press('enter')
  t.regex(person.screen, /Type the PIN/)
  await person.type('000000')
  t.notRegex(person.screen, /000000/)
  await person.press('enter')
  t.regex(person.screen, /This is not the PIN/)
  await person.type('271828')
  await person.press('enter')
  t.regex(person.screen, /What do you want to do/)
})

test('the lock looks at the machine of now: a PIN set at the other console holds here', async t => {
  const person = await at()
  person.machine.facts = { ...person.machine.facts, hasPin: true }
  await person.press('enter')
  t.regex(person.screen, /Type the PIN/)
})

test('of a bond with a VLAN the home shows where the addresses are, and the form only real cards', async t => {
  const card = { hasLink: true, isCard: true, addresses: [] }
  const network = [
    { ...card, name: 'bond0', isCard: false, carries: 'vlan' },
    { ...card, name: 'eno1', carries: 'bond0' },
    { ...card, name: 'eno2', carries: 'bond0' },
    { ...card, name: 'eno3', hasLink: false, carries: null },
    { ...card, name: 'vlan', isCard: false, carries: null, addresses: ['192.0.2.10/24'] },
  ]
  const person = await at({ ...servingMachine, network })
  t.regex(person.screen, /addresses +│ vlan {2}192\.0\.2\.10\/24/)
  t.regex(person.screen, /eno1 {2}carries bond0/)
  t.notRegex(person.screen, /no address yet/)
  await person.press('enter')
  await person.choose('Network')
  await person.choose('Change it')
  await person.choose('As I say')
  t.regex(person.screen, /Cards of this machine: eno1, eno2, eno3 \(no cable\)/)
})

test('nobody there for five minutes: home, and locked', async t => {
  const person = await menu('Network', servingMachine)
  await person.wait(idleMs - 1000)
  t.regex(person.screen, /Change it/)
  await person.wait(2000)
  t.regex(person.screen, /All is well/)
  person.machine.facts = { ...person.machine.facts, hasPin: true }
  await person.press('enter')
  t.regex(person.screen, /Type the PIN/)
})

test('the menu stays while the machine is looked at, every few seconds', async t => {
  const person = await at()
  await person.press('enter')
  t.regex(person.screen, /What do you want to do/)
  await person.news({ kind: 'facts', facts: { ...person.machine.facts } })
  t.regex(person.screen, /What do you want to do/)
  await person.choose('Network')
  await person.press('escape')
  await person.news({ kind: 'facts', facts: { ...person.machine.facts } })
  t.regex(person.screen, /What do you want to do/)
  await person.wait(idleMs)
  t.regex(person.screen, /All is well/)
})

test('the menu that somebody comes back to is that of the machine as it is by then', async t => {
  const person = await menu('Network')
  t.notRegex(person.screen, /First administrator/)
  await person.news({ kind: 'facts', facts: { ...servingMachine, hasAdministrator: false } })
  await person.press('escape')
  t.regex(person.screen, /First administrator/)
})

test('what is opened after the set-up is not taken away while it looks at the machine', async t => {
  const person = await at()
  const opened = { ...person.state.stack[0]!, flow: 'enrolment', isBase: false, step: null, input: null }
  const facts = { kind: 'facts', facts: servingMachine } as const
  const looking = update({ ...person.state, stack: [opened] }, facts, flows)
  t.is(looking.state.pending?.method, 'look')
  t.is(update(looking.state, facts, flows).state.stack[0]!.flow, 'enrolment')
})

test('a server that was taken out of service serves again at the console', async t => {
  const server = { state: 'out-of-service' as const, sentences: [] }
  const person = await menu('Maintenance: serve again', { ...servingMachine, server, health: null })
  t.regex(person.screen, /Nothing is damaged/)
  await person.choose('Serve people again')
  t.is(called(person, 'serveAgain').length, 1)
  await person.news({ kind: 'facts', facts: person.machine.facts })
  t.regex(person.screen, /All is well/)
})

test('a forgotten PIN needs the recovery key of the disk', async t => {
  const person = await at({ ...servingMachine, hasPin: true })
  await person.press('enter')
  await person.choose('The PIN is forgotten')
  await person.type('wrong key')
  await person.press('enter')
  t.regex(person.screen, /does not open/)
  t.is(called(person, 'setPin').length, 0)
  await person.press('clear')
  await person.type(recoveryKey)
  await person.press('enter')
  t.regex(person.screen, /New PIN/)
  await person.type('314159')
  await person.press('enter')
  await person.type('314159')
  await person.press('enter')
  t.deepEqual(called(person, 'setPin')[0]!.input, { pin: '314159' })
})

test('weak PINs are not taken', async t => {
  for (const pin of ['12345', 'abcdef', '111111', '']) {
    const person = await menu('PIN: set')
    await person.choose('Set a PIN')
    await person.type(pin)
    await person.press('enter')
    await person.type(pin)
    await person.press('enter')
    t.is(called(person, 'setPin').length, 0, pin)
  }
})

test('a network that nobody keeps is taken back when its time is over', async t => {
  const person = await menu('Network')
  await person.choose('Change it')
  await person.choose('Automatic')
  t.regex(person.screen, /Does it work/)
  await person.wait(59_000)
  t.is(called(person, 'takeBackNetwork').length, 0)
  await person.wait(2_000)
  t.is(called(person, 'takeBackNetwork').length, 1)
  t.is(called(person, 'keepNetwork').length, 0)
  t.regex(person.screen, /The old network is back/)
})

test('a network that works is kept, once', async t => {
  const person = await menu('Network')
  await person.choose('Change it')
  await person.choose('Automatic')
  await person.choose('Yes: keep')
  await person.wait(120_000)
  t.is(called(person, 'keepNetwork').length, 1)
  t.is(called(person, 'takeBackNetwork').length, 0)
})

test('an administrator is recovered by whoever has the key of the disk, and by nobody else', async t => {
  const person = await menu('Recover an administrator')
  await person.type('guess')
  await person.press('enter')
  t.regex(person.screen, /does not open/)
  await person.press('clear')
  await person.type(recoveryKey)
  await person.press('enter')
  t.is(called(person, 'recoverAdministrator').length, 0)
  await person.type('amal')
  await person.press('enter')
  t.deepEqual(called(person, 'recoverAdministrator')[0]!.input, { userId: 'amal' })
  t.true(person.screen.includes('enrol#'))
})

test('what destroys needs its word, letter by letter', async t => {
  const reset = await menu('Factory reset')
  await reset.type('clinic.exampl')
  await reset.press('enter')
  t.is(called(reset, 'factoryReset').length, 0)
  await reset.type('e')
  await reset.press('enter')
  t.is(called(reset, 'factoryReset').length, 1)

  const install = await menu('Install to a disk', { ...servingMachine, isRemovable: true })
  await install.choose('/dev/sda')
  await install.type('/dev/sdb')
  await install.press('enter')
  t.is(called(install, 'install').length, 0)
  await install.press('clear')
  await install.type('/dev/sda')
  await install.press('enter')
  t.deepEqual(called(install, 'install')[0]!.input, { device: '/dev/sda' })

  const boot = await menu('Secure Boot', { ...servingMachine, secureBoot: 'setup' })
  await boot.choose('Enrol our keys alone')
  await boot.type('enrol')
  await boot.press('enter')
  t.is(called(boot, 'enrolSecureBoot').length, 0)
})

test('power: the first choice of the second question is to turn back', async t => {
  const person = await menu('Restart or power off')
  await person.choose('Restart')
  await person.press('enter')
  t.is(called(person, 'restart').length, 0)
  await person.choose('Restart or power off')
  await person.choose('Power off')
  await person.choose('Yes: power off')
  t.is(called(person, 'powerOff').length, 1)
})

test('a dead TPM: the recovery key opens, and sealing to the new one is offered', async t => {
  const person = await at({
    ...newMachine,
    disk: { state: 'locked', sentence: 'Another TPM.', opensBy: 'tpm' },
  })
  t.regex(person.screen, /Another TPM\./)
  await person.choose('Type the recovery key')
  await person.type('no')
  await person.press('enter')
  t.regex(person.screen, /does not open/)
  await person.press('clear')
  await person.type(recoveryKey)
  await person.press('enter')
  t.is(called(person, 'sealDisk').length, 0)
  await person.choose('Seal it to this TPM')
  t.is(called(person, 'sealDisk').length, 1)
  await person.press('enter')
  await person.news({ kind: 'facts', facts: person.machine.facts })
  t.regex(person.screen, /All is well/)
})

test('an update is written only after it was looked at and approved', async t => {
  const person = await menu('Update')
  person.machine.refuse(
    'checkUpdate',
    new MachineRefused('UPDATE_FORGED', 'It was changed after it was signed.'),
  )
  await person.choose('letro-0.2.0')
  t.regex(person.screen, /It was changed after it was signed/)
  await person.choose('Look at the others')
  await person.choose('letro-0.2.0')
  t.is(called(person, 'applyUpdate').length, 0)
  await person.choose('Write it')
  t.is(called(person, 'applyUpdate').length, 1)
  await person.choose('Restart now')
  t.is(called(person, 'restartForUpdate').length, 1)
})

test('a clock is set to a moment that exists', async t => {
  for (const [typed, isTaken] of [
    ['2026-11-21 18:05', true],
    ['2026-02-30 10:00', false],
    ['1970-01-01 00:00', false],
    ['2038-01-19 03:14:08', true],
    ['tomorrow', false],
    ['2026-11-21 25:00', false],
  ] as const) {
    const person = await menu('Time')
    await person.choose('Set it by hand')
    await person.type(typed)
    await person.press('enter')
    t.is(called(person, 'setClock').length, isTaken ? 1 : 0, typed)
  }
})

test('a clock is set back only by somebody who was told what that means', async t => {
  const person = await menu('Time')
  await person.choose('Set it by hand')
  person.machine.refuse(
    'setClock',
    new MachineRefused('CLOCK_BACK', 'Messages of since then would lie in the future.'),
  )
  await person.type('2026-11-20 18:05')
  await person.press('enter')
  t.regex(person.screen, /lie in the future/)
  await person.choose('Set it back all the same')
  const ts = Date.UTC(2026, 10, 20, 18, 5)
  t.deepEqual(
    called(person, 'setClock').map(({ input }) => input),
    [
      { ts, evenBack: false },
      { ts, evenBack: true },
    ],
  )
})

test('secrets that were typed are gone from the state once the flow is over', async t => {
  const person = await menu('Recover an administrator')
  await person.type(recoveryKey)
  await person.press('enter', 'escape', 'escape', 'escape')
  t.false(JSON.stringify(person.state).includes(recoveryKey))
})

test('a development image says so on every page', async t => {
  const person = await at({ ...servingMachine, release: { version: '0.1.0', isDevelopment: true } })
  t.regex(person.screen, /DEVELOPMENT/)
  await person.press('enter')
  await person.choose('Network')
  t.regex(person.screen, /DEVELOPMENT/)
})

/** Every page of the console, reached by keys as a person reaches it: for the text captures and the pictures. */
import { MachineRefused } from '../../appliance/console/machine.ts'
import type { Screen } from '../../appliance/console/screen.ts'
import {
  certificate,
  goodStick,
  newMachine,
  recoveryKey,
  servingMachine,
  testMachine,
} from './console-machine.ts'
import { Person } from './console-person.ts'

export interface Picture {
  readonly name: string
  readonly screen: Screen
}

export async function gallery(size = { columns: 80, rows: 24 }): Promise<Picture[]> {
  const pictures: Picture[] = []
  const at = async (facts = servingMachine) => new Person(testMachine(facts), size).arrive()
  const take = (name: string, person: Person) => void pictures.push({ name, screen: person.cells })

  take('starting', new Person(testMachine(newMachine), size))

  // A new machine, all the way by questions.
  const first = await at({ ...newMachine, isRemovable: true })
  take('welcome', first)
  await first.choose('Set it up here')
  await first.type('clinic.example')
  await first.press('enter')
  await first.type('clinik.example')
  await first.press('enter')
  take('server-name-mistyped', first)
  await first.press('clear')
  await first.type('clinic.example')
  await first.press('enter')
  await first.press('clear')
  await first.type('https://chat.clinic.example')
  await first.press('enter')
  await first.type('chat.clinic.example')
  take('origin', first)
  await first.press('enter')
  await first.press('clear')
  await first.type('amal')
  take('administrator', first)
  await first.press('enter')
  take('certificate-choice', first)
  await first.choose('A private authority')
  await first.press('enter')
  await first.type('de')
  await first.press('enter')
  await first.type('ntp.clinic.example')
  take('other-servers', first)
  await first.press('enter')
  take('network-choice', first)
  await first.choose('Automatic')
  take('summary', first)
  await first.choose('Yes, set it up')
  take('seal-choice', first)
  await first.choose('A signed system')
  take('recovery-key', first)
  await first.choose('I have written it down')
  await first.type(recoveryKey.slice(0, 5).replace(/^./, 'v') + recoveryKey.slice(5))
  await first.press('enter')
  take('recovery-key-mistyped', first)
  await first.press('clear')
  first.holds = true
  await first.type(recoveryKey)
  await first.press('enter')
  take('making-the-disk', first)

  const enrolment = await at({ ...servingMachine, hasAdministrator: false })
  take('home-without-administrator', enrolment)
  await enrolment.press('enter')
  await enrolment.choose('First administrator')
  take('before-the-link', enrolment)
  await enrolment.choose('They are right')
  take('enrolment-link', enrolment)
  await enrolment.choose('Show it as a QR code')
  take('enrolment-qr', enrolment)

  const stick = await at(newMachine)
  await stick.choose('Set it up from a stick')
  take('stick-none', stick)
  stick.machine.stick = goodStick
  await stick.choose('Look again')
  take('stick-unsigned', stick)
  stick.machine.refuse(
    'readStick',
    new MachineRefused('STICK_MALFORMED', 'letro.json cannot be used.', [
      { field: 'server_name', sentence: 'what is needed is a DNS name such as clinic.example' },
      {
        field: 'network.interfaces[0].ipv4.address',
        sentence: 'what is needed is an address with its prefix',
      },
    ]),
  )
  await stick.choose('Read it again')
  take('stick-malformed', stick)

  const passphrase = await at({ ...newMachine, tpm: 'absent', secureBoot: 'off' })
  passphrase.machine.stick = { ...goodStick, signature: { kind: 'trusted', by: 'stick-2026' } }
  await passphrase.choose('Set it up from a stick')
  take('passphrase', passphrase)

  const home = await at()
  take('home', home)
  await home.press('enter')
  take('menu', home)
  const open = async (entry: string, facts = servingMachine) => {
    const person = await at(facts)
    await person.press('enter')
    await person.choose(entry)
    return person
  }
  take('health', await open('Health'))
  const network = await open('Network')
  take('network', network)
  await network.choose('Change it')
  await network.choose('As I say')
  await network.press('enter', 'enter', 'clear')
  await network.type('192.0.2.10')
  await network.press('enter', 'enter', 'enter', 'enter', 'enter')
  take('network-form', network)
  await network.type('/24')
  await network.press('enter')
  await network.type('192.0.2.1')
  await network.press('enter', 'enter', 'enter', 'enter')
  await network.wait(12_000)
  take('network-trial', network)
  const time = await open('Time')
  take('time', time)
  await time.choose('Set it by hand')
  take('time-by-hand', time)
  const update = await open('Update')
  take('updates', update)
  await update.choose('letro-0.2.0')
  take('update-checked', update)
  update.holds = true
  await update.choose('Write it to the other slot')
  take('update-progress', update)
  const waiting = await open('Update', { ...servingMachine, waitingUpdate: '0.2.0' })
  await waiting.choose('Restart into 0.2.0')
  take('update-restart', waiting)
  const bad = await open('Update')
  bad.machine.refuse(
    'checkUpdate',
    new MachineRefused('UPDATE_SIGNATURE', 'No key that this machine trusts has signed this update.'),
  )
  await bad.choose('letro-0.2.0')
  take('update-refused', bad)
  const backup = await open('Backup')
  take('backup', backup)
  await backup.choose('Make a key')
  await backup.choose('Make it')
  take('backup-key', backup)
  const waysBack = await open('Backup')
  await waysBack.choose('How a backup is restored')
  take('backup-restore', waysBack)
  await waysBack.choose('A code for whoever')
  take('maintenance-code', waysBack)
  const certificates = await open('Certificate')
  take('certificate', certificates)
  await certificates.choose('Write a request')
  take('certificate-request', certificates)
  const recover = await open('Recover an administrator')
  await recover.type('not the key')
  await recover.press('enter')
  take('recover-wrong-key', recover)
  const pin = await open('PIN: set')
  await pin.choose('Set a PIN')
  await pin.type('123')
  await pin.press('enter')
  await pin.type('123')
  await pin.press('enter')
  take('pin-too-short', pin)
  const asked = await at({ ...servingMachine, hasPin: true })
  await asked.press('enter')
  await asked.type('000000')
  await asked.press('enter')
  take('pin-wrong', asked)
  const secure = await open('Secure Boot', { ...servingMachine, secureBoot: 'setup' })
  take('secure-boot', secure)
  await secure.choose('Enrol our keys and')
  take('secure-boot-typed', secure)
  const install = await open('Install to a disk', { ...servingMachine, isRemovable: true })
  take('install', install)
  await install.choose('/dev/sda')
  take('install-typed', install)
  take('power', await open('Restart or power off'))
  const reset = await open('Factory reset')
  await reset.type('clinic.exampel')
  await reset.press('enter')
  take('factory-reset', reset)
  const licences = await open('Licences')
  await licences.choose('Linux')
  await licences.press('page-down')
  take('licence', licences)

  const locked = await at({
    ...newMachine,
    disk: {
      state: 'locked',
      sentence: 'The TPM does not open it: it is another one than the data was sealed to.',
      opensBy: 'tpm',
    },
  })
  take('recovery', locked)
  await locked.choose('Type the recovery key')
  await locked.type(recoveryKey)
  await locked.press('enter')
  take('recovery-seal', locked)
  take(
    'recovery-damaged',
    await at({
      ...newMachine,
      disk: {
        state: 'damaged',
        sentence: 'The header of the encrypted partition cannot be read.',
        opensBy: null,
      },
    }),
  )
  const maintenance = {
    ...servingMachine,
    server: {
      state: 'maintenance' as const,
      sentences: [
        'The data is damaged or incomplete: the server serves nobody.',
        '16 events are missing from the journal.',
      ],
    },
    health: null,
    certificate,
  }
  take('home-maintenance', await at(maintenance))
  take('maintenance', await open('Damaged data', maintenance))
  const outOfService = { ...maintenance, server: { state: 'out-of-service' as const, sentences: [] } }
  take('home-out-of-service', await at(outOfService))
  take('out-of-service', await open('Maintenance: serve again', outOfService))
  take(
    'home-alarm',
    await at({
      ...servingMachine,
      health: { state: 'alarm', findings: 2 },
      secureBoot: 'off',
      isClockSynchronised: false,
    }),
  )
  take('home-clock-in-doubt', await at({ ...servingMachine, isClockInDoubt: true }))
  return pictures
}

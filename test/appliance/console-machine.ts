/** A machine for the console's tests: it remembers what it was asked to do, and behaves like one. */

import {
  type Facts,
  type Machine,
  MachineRefused,
  type Method,
  type StickFound,
} from '../../appliance/console/machine.ts'
import { newRecoveryKey } from '../../appliance/disk/recovery-key.ts'
import { defaultNetwork, type NetworkSettings } from '../../server/protocol/network-settings.ts'

export const recoveryKey = newRecoveryKey(bytes => new Uint8Array(bytes).map((_, i) => (i * 37) & 255))

export const newMachine: Facts = {
  release: { version: '0.1.0', isDevelopment: true },
  slots: { running: 'a', isOnTrial: false, other: null },
  secureBoot: 'on',
  tpm: 'present',
  disk: { state: 'new', sentence: null, opensBy: null },
  isRemovable: false,
  network: [
    {
      name: 'eno1',
      hasLink: true,
      isCard: true,
      carries: null,
      addresses: ['192.0.2.17/24', 'fe80::5054:ff:fe12:3456/64'],
    },
    { name: 'eno2', hasLink: false, isCard: true, carries: null, addresses: [] },
  ],
  site: null,
  server: { state: 'none', sentences: [] },
  health: null,
  certificate: null,
  hasAdministrator: null,
  isClockSynchronised: true,
  isClockInDoubt: false,
  hasPin: false,
  waitingUpdate: null,
}

export const site: NonNullable<Facts['site']> = {
  serverName: 'clinic.example',
  origin: 'https://chat.clinic.example',
  trustPage: 'http://chat.clinic.example/',
}

export const certificate: NonNullable<Facts['certificate']> = {
  words: [
    'aardvark adroitness absurd adviser',
    'stopwatch undaunted accrue aftermath',
    'goldfish hesitate merit microscope',
    'puppy quantity tunnel underfoot',
  ],
  fingerprint:
    '00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF',
  untilTs: Date.UTC(2027, 1, 1),
}

export const servingMachine: Facts = {
  ...newMachine,
  release: { version: '0.1.0', isDevelopment: false },
  slots: { running: 'a', isOnTrial: false, other: '0.0.9' },
  disk: { state: 'open', sentence: null, opensBy: 'tpm' },
  site,
  server: { state: 'serving', sentences: [] },
  health: { state: 'ok', findings: 0 },
  certificate,
  hasAdministrator: true,
}

export interface TestMachine extends Machine {
  facts: Facts
  readonly calls: { readonly method: Method; readonly input: unknown }[]
  /** The next call of this method fails with it. */
  refuse(method: Method, error: MachineRefused): void
  stick: StickFound | null
  now: number
}

export const startTs = Date.UTC(2026, 10, 21, 18, 4)
const pin = '271828'
export const testLink = 'https://chat.clinic.example/enrol#enrol_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG'

export function testMachine(facts: Facts): TestMachine {
  const calls: TestMachine['calls'] = []
  const refusals = new Map<Method, MachineRefused>()
  let network: NetworkSettings = defaultNetwork
  const link = {
    link: testLink,
    userId: '@amal:clinic.example',
    expiresTs: startTs + 604_800_000,
    remark: null,
  }
  const secretMustBeRight = ({ secret }: { readonly secret: string }) => {
    if (secret.replaceAll(/[^a-z]/g, '') !== recoveryKey.replaceAll('-', ''))
      throw new MachineRefused('DISK_SECRET_WRONG', 'The disk does not open with this.')
  }
  const does: Machine = {
    look: async () => self.facts,
    readStick: async () => self.stick,
    newRecoveryKey: async () => recoveryKey,
    prepareDisk: async ({ passphrase }, tell) => {
      tell({ text: 'Writing the header of the encrypted partition.', part: 0.4 })
      self.facts = {
        ...self.facts,
        disk: { state: 'open', sentence: null, opensBy: passphrase ? 'passphrase' : 'tpm' },
      }
      return null
    },
    applyStick: async () => does.setUpSite({ answers: stickAnswers }, () => {}),
    setUpSite: async ({ answers }) => {
      const awaitsCertificate = (answers['certificate'] as { from: string }).from === 'organisation'
      self.facts = {
        ...self.facts,
        site: { ...site, serverName: String(answers['server_name']), origin: String(answers['origin']) },
        server: { state: awaitsCertificate ? 'away' : 'serving', sentences: [] },
        health: awaitsCertificate ? null : { state: 'ok', findings: 0 },
        certificate: awaitsCertificate ? null : certificate,
        hasAdministrator: false,
      }
      return { awaitsCertificate, lines: [] }
    },
    awaitServer: async () => self.facts,
    firstAdministratorLink: async () => link,
    openDisk: async given => {
      secretMustBeRight(given)
      self.facts = { ...servingMachine, disk: { state: 'open', sentence: null, opensBy: null } }
      return null
    },
    checkDiskSecret: async given => {
      secretMustBeRight(given)
      return null
    },
    sealDisk: async () => null,
    factoryReset: async () => null,
    installTargets: async () => [
      { device: '/dev/nvme0n1', model: 'Samsung PM9A3', sizeBytes: 960e9, holds: null, refused: null },
      {
        device: '/dev/sda',
        model: 'ST4000NM0035',
        sizeBytes: 4e12,
        holds: '3 partitions',
        refused: null,
      },
    ],
    install: async (_, tell) => {
      tell({ text: 'Copying: 512 MB of 1,100 MB', part: 0.46 })
      return null
    },
    enrolSecureBoot: async () => null,
    networkSettings: async () => network,
    tryNetwork: async wanted => {
      network = wanted
      return { untilTs: self.now + 60_000 }
    },
    keepNetwork: async () => null,
    takeBackNetwork: async () => null,
    timeSettings: async () => ({ servers: ['ntp.clinic.example'], doubt: null }),
    confirmClock: async () => null,
    setTimeServers: async () => null,
    setClock: async () => null,
    checkPin: async ({ pin: typed }) => {
      if (typed !== pin) throw new MachineRefused('PIN_WRONG', 'This is not the PIN.')
      return null
    },
    setPin: async ({ pin: wanted }) => {
      self.facts = { ...self.facts, hasPin: wanted !== null }
      return null
    },
    healthText: async () => [
      'It works, and something needs you in the next days.  (18:04 UTC)',
      '',
      'Warning   There is no second administrator.',
      '          -> Make one, the same day: letro enrol person NAME --kind administrator',
      '',
      'Disk      411.3 GiB of 437.9 GiB free',
      'Backup    none has succeeded',
    ],
    certificateText: async () => [
      'Certificate    for chat.clinic.example, clinic.example',
      'Issued by      Letro authority of clinic.example',
      'Good           from 21 Nov 2026 until 1 Feb 2027 (71 more days)',
    ],
    requestToStick: async () => 'clinic.example.csr',
    stickCertificates: async () => ['chain.pem', 'server.p12'],
    importCertificate: async ({ name }) => [`${name} is used within ten seconds.`],
    recoverAdministrator: async () => link,
    newBackupKey: async () => ({
      privateKey: 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGF',
      recipient: 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj',
    }),
    backupToStick: async (_, tell) => {
      tell({ text: 'Backing up: 1.2 GiB', part: null })
      return 'clinic.example-20261121T180400Z-000.age'
    },
    stickBackups: async () => ['clinic.example-20261121T180400Z-000.age'],
    restoreBackup: async () => {
      self.facts = { ...servingMachine }
      return ['clinic.example, as of 2026-11-21 18:04 UTC.', '412 people, 18,230 events, all media.']
    },
    maintenanceCode: async () => ({ code: '7KQ2-M0XW-R9TD', expiresTs: startTs + 8 * 3_600_000 }),
    serveAgain: async () => {
      self.facts = { ...servingMachine }
    },
    repairStore: async () => ['17 rows were lost; they are listed in repair.json.'],
    findUpdates: async () => ({
      window: null,
      wentBack: null,
      found: [
        {
          file: '/run/letro/stick/letro-0.2.0-amd64.update',
          name: 'letro-0.2.0-amd64.update',
          from: 'stick',
        },
      ],
    }),
    checkUpdate: async () => ({ version: '0.2.0', sizeBytes: 128_000_000 }),
    applyUpdate: async (_, tell) => {
      tell({ text: 'Writing the root: 64 MB of 97 MB', part: 0.66 })
      self.facts = { ...self.facts, waitingUpdate: '0.2.0' }
      return null
    },
    restartForUpdate: async () => null,
    setUpdateWindow: async () => null,
    restart: async () => null,
    powerOff: async () => null,
    licences: async () => ['Letro: Apache-2.0', 'Linux: GPL-2.0', 'systemd: LGPL-2.1'],
    licence: async () => `${'You may use, change and pass this on, under these terms. '.repeat(40)}`,
  }
  const recorded = Object.fromEntries(
    Object.entries(does).map(([method, run]) => [
      method,
      async (input: never, tell: never) => {
        calls.push({ method: method as Method, input })
        const refusal = refusals.get(method as Method)
        refusals.delete(method as Method)
        if (refusal) throw refusal
        return (run as (input: never, tell: never) => Promise<unknown>)(input, tell)
      },
    ]),
  ) as unknown as Machine
  const self: TestMachine = Object.assign(recorded, {
    facts,
    calls,
    stick: null as StickFound | null,
    now: startTs,
    refuse: (method: Method, error: MachineRefused) => void refusals.set(method, error),
  })
  return self
}

const stickAnswers = {
  server_name: 'clinic.example',
  origin: 'https://chat.clinic.example',
  certificate: { from: 'own' },
}

export const goodStick: StickFound = {
  fingerprint:
    'goldfish hesitate merit microscope puppy quantity tunnel underfoot aardvark adroitness absurd adviser stopwatch undaunted accrue aftermath'.split(
      ' ',
    ),
  signature: { kind: 'none' },
  siteExists: false,
  says: [
    ['server name', 'clinic.example'],
    ['people open', 'https://chat.clinic.example'],
    ['administrator', '@amal:clinic.example'],
    ['certificate', 'a private authority, made now'],
    ['network', 'eno1, 192.0.2.10/24, by 192.0.2.1'],
  ],
}

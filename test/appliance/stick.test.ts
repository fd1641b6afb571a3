/** The provisioning stick, with the real command behind it: what is taken, what is refused and how, what is left of it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { readNetwork, readTime } from '../../appliance/network/settings.ts'
import { applyAnswers, applyStick, checkAnswers } from '../../appliance/stick/apply.ts'
import { findFiles } from '../../appliance/stick/find-files.ts'
import { beginProvisioning, endProvisioning } from '../../appliance/stick/pending.ts'
import { forgetStick, readStick, type StickOffer } from '../../appliance/stick/stick.ts'
import { fakeMachine } from './stick-machine.ts'

const letro = join(import.meta.dirname, '../../provisioning/letro.ts')
const answers = {
  letro: 1,
  server_name: 'clinic.example',
  origin: 'https://chat.clinic.example',
  administrator: 'amal',
  certificate: { from: 'own' },
  time: { servers: ['ntp.clinic.example'] },
  network: {
    host_name: 'clinic',
    interfaces: [{ name: 'eno1', ipv4: { address: '192.0.2.10/24', gateway: '192.0.2.1' } }],
  },
}
const json = JSON.stringify(answers)
const one = (folder?: string, label = 'LETROCONF') => [
  { device: '/dev/sdb1', label, ...(folder ? { folder } : {}) },
]

function withStick(t: Parameters<typeof fakeMachine>[0], files: Record<string, string | Uint8Array>) {
  const media: { device: string; label: string; folder?: string }[] = []
  const made = fakeMachine(t, media)
  const folder = made.stick(files)
  media.push(...one(folder))
  return { ...made, media, folder }
}

test('no stick, another stick, and two of them', async t => {
  t.deepEqual(await readStick(fakeMachine(t).machine), { kind: 'none' })
  t.deepEqual(await readStick(fakeMachine(t, one('/', 'HOLIDAY')).machine), { kind: 'none' })
  const ofOurs = [{ device: '/dev/sda1', label: 'LETROCONF', partLabel: 'esp' }]
  t.deepEqual(await readStick(fakeMachine(t, ofOurs).machine), { kind: 'none' })
  const { machine, called } = fakeMachine(t, [
    ...one(),
    { device: '/dev/sr0', label: 'letroconf', type: 'iso9660' },
  ])
  const reading = await readStick(machine)
  t.like(reading, { kind: 'several', devices: ['/dev/sdb1', '/dev/sr0'] })
  t.false(called.some(call => call.startsWith('mount ')))
})

test('read, shown, the stick pulled out, approved: the site is there, with its network and time', async t => {
  const { machine, folder, called, isMounted, media } = withStick(t, { 'letro.json': `\ufeff${json}` })
  const reading = await readStick(machine)
  t.is(reading.kind, 'offer', JSON.stringify(reading))
  const { offer } = reading as { offer: StickOffer }
  t.like(offer, { signature: { kind: 'none' }, needsApproval: true, siteExists: false })
  t.is(offer.fingerprint.length, 16)
  t.deepEqual(offer.lines.find(([title]) => title === 'Network eno1')?.[1], '192.0.2.10/24 by 192.0.2.1')
  t.true(
    called.includes(
      `mount -t vfat -o ro,nodev,nosuid,noexec,nosymfollow,utf8=1 /dev/sdb1 ${machine.paths.stick}`,
    ),
  )
  t.false(isMounted())
  t.false(existsSync(machine.paths.configFile))
  t.false(existsSync(machine.paths.settings))

  // What is changed on the stick after it was shown is not applied.
  writeFileSync(join(folder, 'letro.json'), json.replace('amal', 'mallory'))
  media.length = 0
  const { lines } = await applyStick(machine)
  t.deepEqual(lines, ['The site clinic.example was set up.'])
  t.regex(readFileSync(machine.paths.configFile, 'utf8'), /first_administrator = "amal"/)
  t.is(readNetwork(machine).hostName, 'clinic')
  t.deepEqual(readTime(machine).servers, ['ntp.clinic.example'])
  t.deepEqual(readdirSync(machine.paths.settings).sort(), ['network.json', 'time.json'])
  await t.throwsAsync(applyStick(machine), { code: 'NOTHING_STAGED' })
})

const unusable: readonly (readonly [
  string,
  Record<string, string | Uint8Array>,
  string,
  readonly string[],
])[] = [
  ['no letro.json', { 'readme.txt': 'x' }, 'STICK_EMPTY', []],
  ['no JSON', { 'letro.json': json.slice(0, 100) }, 'STICK_NO_JSON', []],
  ['saved as UTF-16', { 'letro.json': Buffer.from(`\ufeff${json}`, 'utf16le') }, 'STICK_NO_JSON', []],
  ['a list', { 'letro.json': '[1]' }, 'STICK_NO_JSON', []],
  ['far too large', { 'letro.json': ' '.repeat(1024 * 1024 + 1) }, 'FILE_TOO_LARGE', []],
  [
    'a file that is missing',
    {
      'letro.json': JSON.stringify({ ...answers, certificate: { from: 'organisation', file: 'chain.pem' } }),
    },
    'STICK_INCOMPLETE',
    [],
  ],
  [
    'a file elsewhere',
    {
      'letro.json': JSON.stringify({
        ...answers,
        certificate: { from: 'organisation', file: '../etc/shadow' },
      }),
    },
    'STICK_NAME',
    [],
  ],
  [
    'wrong fields',
    {
      'letro.json': JSON.stringify({
        ...answers,
        origin: 7,
        network: { interfaces: [{ name: 'eno1', ipv4: 'static' }] },
        '\u001b[2J': 1,
      }),
    },
    'STICK_WRONG',
    ['?[2J', 'origin', 'network.interfaces[0].ipv4'],
  ],
  [
    'a proxy',
    { 'letro.json': JSON.stringify({ ...answers, certificate: { from: 'proxy' } }) },
    'STICK_WRONG',
    ['certificate.from'],
  ],
  [
    'a certificate that is none',
    {
      'letro.json': JSON.stringify({ ...answers, certificate: { from: 'organisation', file: 'chain.pem' } }),
      'chain.pem': '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----',
    },
    'STICK_WRONG',
    [],
  ],
  ['a signature that is none', { 'letro.json': json, 'letro.json.sig': '{}' }, 'STICK_FORGED', []],
]
for (const [what, files, code, fields] of unusable) {
  test(`refused, and nothing is changed: ${what}`, async t => {
    const { machine, isMounted } = withStick(t, files)
    const reading = await readStick(machine)
    t.is(reading.kind, 'refused')
    if (reading.kind !== 'refused') return
    t.log(reading.sentence)
    t.notRegex(reading.sentence, /\/provisioning\//, 'files are called as on the stick')
    t.is(reading.code, code)
    t.deepEqual(reading.problems.map(({ field }) => field).sort(), [...fields].sort())
    t.false(isMounted())
    t.deepEqual(readdirSync(machine.paths.site), [])
    t.false(existsSync(join(machine.paths.run, 'provisioning')))
  })
}

test('links, folders and pipes in place of files; a stick that cannot be mounted', async t => {
  const { machine, folder } = withStick(t, {})
  symlinkSync('/etc/passwd', join(folder, 'letro.json'))
  t.like(await readStick(machine), { kind: 'refused', code: 'NOT_A_FILE' })
  const other = withStick(t, {})
  mkdirSync(join(other.folder, 'letro.json'))
  t.like(await readStick(other.machine), { kind: 'refused', code: 'NOT_A_FILE' })
  const third = withStick(t, {})
  execFileSync('mkfifo', [join(third.folder, 'letro.json')])
  t.like(await readStick(third.machine), { kind: 'refused', code: 'NOT_A_FILE' })
  t.like(await readStick(fakeMachine(t, one()).machine), { kind: 'refused', code: 'MEDIUM_UNREADABLE' })
})

test('signed: a trusted key asks nobody, a stranger’s does, and a changed file is refused', async t => {
  const { machine, at, folder, media } = withStick(t, {})
  writeFileSync(at('answers.json'), json)
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [letro, 'stick', ...args, '--json'], { cwd: at('.'), encoding: 'utf8' })
  run('key', 'mine.pem')
  const written = JSON.parse(
    run('write', 'answers.json', '--folder', folder, '--key', 'mine.pem').trim(),
  ) as { fingerprint: string[] }
  t.deepEqual(readdirSync(folder).sort(), ['letro.json', 'letro.json.sig'])

  const strange = await readStick(machine)
  t.like(strange, { kind: 'offer', offer: { signature: { kind: 'unknown' }, needsApproval: true } })
  t.deepEqual((strange as { offer: StickOffer }).offer.fingerprint, written.fingerprint)

  writeFileSync(at('keys/stick-clinic.pem'), readFileSync(at('mine.public.pem')))
  const trusted = await readStick(machine)
  t.like(trusted, {
    kind: 'offer',
    offer: { signature: { kind: 'trusted', by: 'the image (stick-clinic.pem)' }, needsApproval: false },
  })

  writeFileSync(
    join(folder, 'letro.json'),
    readFileSync(join(folder, 'letro.json'), 'utf8').replace('amal', 'mallory'),
  )
  t.like(await readStick(machine), { kind: 'refused', code: 'STICK_FORGED' })
  t.is(media.length, 1)
})

test('a site that runs: a stick for another one is refused, one for it sets network and time alone', async t => {
  const { machine } = withStick(t, { 'letro.json': json })
  writeFileSync(machine.paths.configFile, '# in use')
  mkdirSync(join(machine.paths.site, 'data/keys'), { recursive: true })
  const card = (name: string) =>
    writeFileSync(
      join(machine.paths.site, 'data/keys/site-card.json'),
      JSON.stringify({ server_name: name, root_key: '' }),
    )
  card('court.example')
  t.like(await readStick(machine), { kind: 'refused', code: 'STICK_OF_OTHER_SITE' })
  card('clinic.example')
  t.like(await readStick(machine), { kind: 'offer', offer: { siteExists: true } })
  t.deepEqual(await applyStick(machine), {
    lines: ['The network was set.', 'Time was set.'],
    units: ['letro-network', 'letro-time', 'letro-firewall'],
  })
  t.is(readFileSync(machine.paths.configFile, 'utf8'), '# in use')
  t.is(readNetwork(machine).hostName, 'clinic')
})

test('typed answers go the same way, and what is wrong with them is named by field', async t => {
  const { machine } = fakeMachine(t)
  t.deepEqual(await checkAnswers(machine, answers), [])
  const wrong = await checkAnswers(machine, { ...answers, administrator: 'Amal Khoury' })
  t.deepEqual(
    wrong.map(({ field }) => field),
    ['administrator'],
  )
  t.false(existsSync(join(machine.paths.run, 'provisioning')))
  await applyAnswers(machine, answers)
  t.true(existsSync(machine.paths.configFile))
})

test('a set-up that fails or is cut off leaves no settings behind; one that was done keeps them', async t => {
  const { machine } = fakeMachine(t)
  await t.throwsAsync(applyAnswers(machine, { ...answers, origin: 'http://x' }), { code: 'SETUP_REFUSED' })
  t.deepEqual(readdirSync(machine.paths.settings), [])
  const time = { servers: ['a.example'], nts: false }
  // The power goes before the site is there …
  beginProvisioning(machine, null, time)
  endProvisioning(machine)
  t.deepEqual(readTime(machine).servers, [])
  // … and after that, in the middle of what follows, twice.
  beginProvisioning(machine, null, time)
  writeFileSync(machine.paths.configFile, '')
  endProvisioning(machine)
  endProvisioning(machine)
  t.deepEqual(readTime(machine).servers, ['a.example'])
  t.false(existsSync(join(machine.paths.settings, 'pending')))
})

test('updates and backups are found among 10,000 other files, and a medium that is gone is said', async t => {
  const media: { device: string; label: string; folder?: string }[] = []
  const { machine, stick } = fakeMachine(t, media)
  const folder = stick({
    'letro-1.2.0-amd64.update': 'u',
    'letro-clinic.example-20261121T023000Z-000.age': 'bb',
    '.hidden.update': 'x',
  })
  for (let i = 0; i < 10_000; i++) writeFileSync(join(folder, `photo-${i}.jpg`), '')
  mkdirSync(join(folder, 'folder.update'))
  media.push({ device: '/dev/sdb1', label: 'STICK', folder }, { device: '/dev/sdc1', label: 'GONE' })
  const found = await findFiles(machine, 'update')
  t.deepEqual(
    found.files.map(({ name, sizeBytes }) => [name, sizeBytes]),
    [['letro-1.2.0-amd64.update', 1]],
  )
  t.is(found.problems.length, 1)
  t.regex(found.problems[0]!, /\/dev\/sdc1 cannot be read/)
  t.deepEqual(
    (await findFiles(machine, 'backup')).files.map(({ sizeBytes }) => sizeBytes),
    [2],
  )
  forgetStick(machine)
})

/** `letro status`: the page that a tired administrator reads, and what scripts go by. */
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { backupCommand } from '../../provisioning/backup-command.ts'
import { certificateCommand } from '../../provisioning/certificate-command.ts'
import { findingText } from '../../provisioning/finding-texts.ts'
import { peerCommand } from '../../provisioning/peer-command.ts'
import { recoverCommand } from '../../provisioning/recover.ts'
import { type ShownHealth, statusPage } from '../../provisioning/status-page.ts'
import { storeCommand } from '../../provisioning/store-command.ts'
import { listenAtSocket } from '../../server/http/server.ts'
import { findingCodes } from '../../server/protocol/finding.ts'
import { startTestServer } from '../support/server.ts'

const now = Date.UTC(2027, 2, 1, 3)
const gibibyte = 1024 ** 3
const health: ShownHealth = {
  ts: now,
  state: 'alarm',
  findings: [
    { code: 'administrators.only-one', severity: 'warning', facts: {}, since_ts: now - 40 * 86_400_000 },
    {
      code: 'disk.full-soon',
      severity: 'alarm',
      facts: { available_bytes: 1.5 * gibibyte, size_bytes: 100 * gibibyte, days_left: 2 },
      since_ts: now,
    },
  ],
  readings: {
    disk: {
      available_bytes: 1.5 * gibibyte,
      size_bytes: 100 * gibibyte,
      bytes_per_day: gibibyte / 2,
      days_left: 2,
    },
    queues: {
      peers: [
        { server_name: 'court.example', length: 12 },
        { server_name: 'b.example', length: 0 },
      ],
    },
  },
}

test('the first line says whether to act, the worst comes first, each with what to do', t => {
  t.deepEqual(statusPage(health).split('\n'), [
    'SOMETHING IS WRONG: act now.  (2027-03-01 03:00 UTC)',
    '',
    'ALARM     The disk of the data folder has 1.5 GiB of 100 GiB left; at the rate of the last weeks',
    '          it is full in 2 days.',
    '          → Remove what is not Letro’s from that disk, or give it a larger one. When it is full,',
    '            the server still lets people read but takes nothing new.',
    '',
    'Warning   There is only one administrator. (for 40 days)',
    '          → Make a second person one, before the first is ill or has lost a telephone. Without',
    '            any, only whoever sits at this machine can make one (letro recover-administrator).',
    '',
    'Disk      1.5 GiB of 100 GiB free, grows by 512 MiB a day, full in 2 days',
    'Peers     2 pinned, waiting: 12 for court.example',
  ])
})

test('where nothing is wrong, that is the first thing it says', t => {
  t.is(
    statusPage({ ts: now, state: 'ok', findings: [], readings: {} }),
    'All is well.  (2027-03-01 03:00 UTC)',
  )
})

test('every finding has its sentences, whatever its facts are', t => {
  for (const code of findingCodes) {
    for (const facts of [{}, { expires_ts: Number.NaN, last_error: '\u001b[2J', by_ms: -1 }]) {
      const { is, act } = findingText({ code, subject: 'x.example', facts }, now)
      for (const text of [is, act]) {
        t.regex(text, /^\P{Cc}{10,}$/u, code)
        t.notRegex(text, /undefined|NaN|null|\[object/, code)
      }
    }
  }
})

test('what a finding says to type is a command that there is', t => {
  const groups = [backupCommand(), certificateCommand(), peerCommand(), storeCommand(), recoverCommand()]
  const known = new Map(groups.map(group => [group.name(), group.commands.map(command => command.name())]))
  let said = 0
  for (const code of findingCodes) {
    const { is, act } = findingText({ code, subject: 'x.example', facts: {} }, now)
    for (const [text, group, command] of `${is} ${act}`.matchAll(/letro ([a-z-]+)(?: ([a-z]+))?/g)) {
      const commands = known.get(group!)
      // "This letro is older …"
      if (!commands) continue
      said++
      if (command !== undefined && commands.length > 0) t.true(commands.includes(command), `${code}: ${text}`)
    }
  }
  t.true(said > 8)
})

test('a finding that this release does not know is shown as it is', t => {
  t.regex(
    findingText({ code: 'moon.full', subject: 'x', facts: { a: 1 } }, now).is,
    /moon\.full \(x\): {"a":1}/,
  )
})

test('the command shows the running server, and its JSON is what the server answers', async t => {
  const server = await startTestServer()
  const socket = await listenAtSocket(server.app.localListener, join(server.dataFolder, 'admin.sock'))
  t.teardown(async () => {
    await socket.close(0)
    await server.close()
  })
  const shown = await letro('status', '--data', server.dataFolder)
  t.is(shown.code, 0, shown.err)
  t.regex(shown.out, /^(?:All is well\.|It works,)[^\n]+UTC\)\n/)
  t.regex(shown.out, /^Disk {6}[^\n]+ free/m)
  const json = await letro('status', '--json', '--data', server.dataFolder)
  t.like(JSON.parse(json.out).readings.people, { administrators: 0 })
})

test('a server in maintenance is an exit code of its own, and a sentence that says what to type', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  for (const name of ['alice', 'bob', 'carol']) await server.register(name)
  await server.restart(async () => {
    const db = join(server.dataFolder, 'store', 'db')
    const [log] = (await readdir(db)).filter(name => name.endsWith('.log'))
    const bytes = await readFile(join(db, log!))
    bytes[bytes.length >> 1]! ^= 8
    await writeFile(join(db, log!), bytes)
  })
  const socket = await listenAtSocket(server.app.localListener, join(server.dataFolder, 'admin.sock'))
  t.teardown(() => socket.close(0))
  const { code, err } = await letro('status', '--data', server.dataFolder)
  t.is(code, 1)
  t.regex(err, /in maintenance: it serves nobody\. .*letro store status/)
})

test('a server that is not there is said in a sentence, with an exit code of its own', async t => {
  const { code, err } = await letro('status', '--data', '/no/such/folder')
  t.is(code, 4)
  t.regex(err, /does not answer/)
})

function letro(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = join(import.meta.dirname, '../../provisioning/letro.ts')
  return new Promise(resolve => {
    execFile(process.execPath, [command, ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

/**
 * `letro init`: from nothing to a server that can be started.
 *
 * Asks at the terminal, or reads the answers from a file. What could fail is tried before anything is written; what is
 * written is whole or is not there (new-site.ts).
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { Command } from 'commander'
import type { JsonObject } from '#protocol/json.ts'
import { act } from './act.ts'
import { applianceProblems } from './appliance-answers.ts'
import { authorityWords } from './certificate-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { askForSite } from './init-questions.ts'
import { mustBeNew, type NewSite, siteNames, writeSite } from './new-site.ts'
import { openTerminal, Questions, type Terminal } from './questions.ts'
import { type AnswerProblem, AnswersWrong, parseSiteAnswers, type SiteAnswers } from './site-answers.ts'
import { tell } from './terminal.ts'
import { askTimeServer } from './time-source.ts'

interface Options {
  readonly config: string
  readonly data?: string
  readonly answers?: string
  readonly check?: boolean
  readonly appliance?: boolean
  readonly json?: boolean
}

/** A clock that is further off would issue certificates that devices do not take. */
const mostOffMs = 30_000

export function initCommand(): Command {
  return new Command('init')
    .description(
      'Set up a new server: asks what it must know, then writes letro.toml, data folder and certificate.',
    )
    .option('--config <file>', 'where to write the configuration', 'letro.toml')
    .option('--data <folder>', 'where everything is to be kept (default: "data" beside the configuration)')
    .option('--answers <file>', 'do not ask: the answers stand in this file (letro.json)')
    .option('--check', 'with --answers: try all of it in a temporary folder, set up nothing')
    .option('--appliance', 'with --answers: as the appliance itself calls it (it cares for network and time)')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      `
Run it as the user who will run the server: the data folder is closed to all others.

The file of --answers:
  {"letro": 1, "server_name": "clinic.example", "origin": "https://chat.clinic.example",
   "administrator": "amal", "certificate": {"from": "own"},
   "listen": {"client": "[::]:443", "federation": "[::]:8448"},
   "time": {"servers": ["ntp.clinic.example"]}, "peers": [{"card": {…}, "fingerprint": "…"}]}
The first five are needed. certificate: {"from": "own"}, {"from": "organisation", "file": "chain.pem"},
{"from": "files", "certificate": "…", "key": "…"} or {"from": "proxy"}.
A letro.json for an appliance may hold "network": there it is applied, elsewhere it is passed over.

Examples:
  letro init
  letro init --config /etc/letro/letro.toml --data /var/lib/letro
  letro init --answers letro.json --data /var/lib/letro

Exit codes:
  0  the server can be started
  1  refused: it was set up already, an answer is wrong, or nobody confirmed; nothing was written
  2  the command line is wrong
  4  it could not run: no such file, no permission, no space; nothing was written
`,
    )
    .action(act<Options, []>(run))
}

async function run(options: Options): Promise<void> {
  const configFile = resolve(options.config)
  const data = resolve(options.data ?? join(dirname(configFile), 'data'))
  if ((options.check || options.appliance) && options.answers === undefined)
    throw new CommandFailed('--check and --appliance need --answers FILE.', exitCodes.usage)
  if (!options.check) mustBeNew(configFile, data)
  const answers =
    options.answers === undefined ? await interview() : readAnswers(options.answers, options.appliance)
  if (options.check) return check(answers, options)
  // An appliance has its own way to the right time, and its network may not stand yet.
  const clock = options.appliance ? '' : await checkClock(answers.time.servers)
  const site = await writeSite(answers, configFile, data, Date.now())
  tell(options, answerOf(answers, site), [clock, whatNext(answers, site)].filter(Boolean).join('\n'))
}

/** Whatever setting up would find wrong, without a trace. */
async function check(answers: SiteAnswers, options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'letro-check-'))
  try {
    await writeSite(answers, join(folder, 'letro.toml'), join(folder, 'data'), Date.now())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { serverName, origin, administrator } = answers
  tell(
    options,
    { server_name: serverName, origin, administrator },
    `The answers are good, for ${serverName} at ${origin}. Nothing was set up.`,
  )
}

async function interview(): Promise<SiteAnswers> {
  if (!process.stdin.isTTY) {
    throw new CommandFailed(
      'There is no terminal to ask at. Give the answers in a file: --answers letro.json',
      exitCodes.usage,
    )
  }
  const terminal = openTerminal()
  try {
    return await askAndConfirm(terminal)
  } finally {
    terminal.close()
  }
}

export async function askAndConfirm(terminal: Terminal): Promise<SiteAnswers> {
  const questions = new Questions(terminal)
  const answers = await askForSite(questions)
  const { hostname } = new URL(answers.origin)
  questions.say(`
These two can never be changed once people use the server:

   server name   ${answers.serverName}     (user ids: @${answers.administrator}:${answers.serverName})
   origin host   ${hostname}
`)
  await questions.mustType(answers.serverName, '   Type the server name to confirm it: ')
  if (hostname !== answers.serverName)
    await questions.mustType(hostname, '   Type the origin host to confirm it: ')
  return answers
}

/** @param isForAppliance it is the whole machine */
export function readAnswers(file: string, isForAppliance = false): SiteAnswers {
  let json: unknown
  try {
    // Some editors put a byte order mark in front.
    json = JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, ''))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    throw code === null
      ? new CommandFailed(`${file} is no JSON: ${(error as Error).message}`, exitCodes.unsound)
      : new CommandFailed(
          code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`,
          exitCodes.impossible,
        )
  }
  try {
    const answers = parseSiteAnswers(json)
    const problems = isForAppliance ? applianceProblems(answers) : []
    if (problems.length > 0) throw refusal(file, problems)
    return withPathsFrom(dirname(resolve(file)), answers)
  } catch (error) {
    throw error instanceof AnswersWrong ? refusal(file, error.problems) : error
  }
}

function refusal(file: string, problems: readonly AnswerProblem[]): CommandFailed {
  const list = problems.map(({ field, sentence }) => `  ${field}: ${sentence}`).join('\n')
  return new CommandFailed(`Nothing was set up. In ${file}:\n\n${list}`, exitCodes.unsound, { problems })
}

function withPathsFrom(folder: string, answers: SiteAnswers): SiteAnswers {
  const place = (path: string) => (isAbsolute(path) ? path : join(folder, path))
  const { certificate } = answers
  const entries = Object.entries(certificate).map(([name, value]) => [
    name,
    name === 'from' ? value : place(value as string),
  ])
  return { ...answers, certificate: Object.fromEntries(entries) as SiteAnswers['certificate'] }
}

/** A sentence, where there is something to say. */
async function checkClock(servers: readonly string[]): Promise<string> {
  if (servers.length === 0) return ''
  const readings = await Promise.all(servers.map(server => askTimeServer(server)))
  const offsets = readings.flatMap(reading => reading?.offsetMs ?? []).sort((a, b) => a - b)
  if (offsets.length === 0) {
    return `None of the time servers (${servers.join(', ')}) answered now. Check their names and the firewall (UDP port 123).\n`
  }
  const middle = offsets[offsets.length >> 1]!
  if (Math.abs(middle) <= mostOffMs) return ''
  throw new CommandFailed(
    `Nothing was set up: this machine’s clock is ${Math.round(Math.abs(middle) / 1000)} seconds ${middle > 0 ? 'behind' : 'ahead of'} the time servers. Set it first (timedatectl, chronyc makestep): certificates are issued by it.`,
    exitCodes.unsound,
  )
}

function whatNext(answers: SiteAnswers, { configFile, data, authority, requestFile }: NewSite): string {
  const { origin, administrator, serverName, certificate, time, peers, listen, network } = answers
  const names = siteNames(answers)
  const steps = [
    ...(requestFile === null
      ? []
      : [
          `Send ${requestFile} to your authority, and bring what it issues:\n     letro certificate import FILE --data ${data} ${names.map(name => `--name ${name}`).join(' ')}`,
        ]),
    ...(process.getuid?.() === 0
      ? [
          `You set this up as root. If another user runs the server, give it to them:\n     chown -R USER: ${data} ${configFile}`,
        ]
      : []),
    `Your DNS must lead ${names.join(' and ')} to this machine.`,
    ...(network
      ? [
          'The answers say how an appliance is on its network ("network"). This machine is none: its network was left as it is.',
        ]
      : []),
    ...(time.servers.length === 0
      ? []
      : [
          `Let the machine follow your time servers. With systemd, in /etc/systemd/timesyncd.conf:\n     [Time]\n     NTP=${time.servers.join(' ')}`,
        ]),
    `Start the server:\n     npm start -- --config ${configFile}`,
    ...(certificate.from === 'own' && authority
      ? [
          `Let devices trust the private authority: ${listen.trustPage ? `people find how at http://${new URL(origin).hostname}/ ;\n     ` : ''}for device management: letro certificate mdm --data ${data}\n     Its fingerprint (SHA-256) and the same in words, to compare:\n\n       ${authority.fingerprint256.slice(0, 47)}\n       ${authority.fingerprint256.slice(48)}\n\n${authorityWords(
            authority,
          )
            .map(line => `       ${line}\n`)
            .join('')}`.trimEnd(),
        ]
      : []),
    `The server prints a link for @${administrator}:${serverName}. Open it within seven days on the device that\n     shall hold the administrator's passkey; it begins with ${origin}`,
    ...(listen.federation && peers.length === 0
      ? ['To talk to another site: letro peer card here and there, then letro peer pin.']
      : []),
  ]
  return `The server is set up.

   configuration  ${configFile}
   data           ${data}

What to do now:

${steps.map((step, i) => `  ${i + 1}. ${step}`).join('\n\n')}`
}

function answerOf(answers: SiteAnswers, { configFile, data, authority, requestFile }: NewSite): JsonObject {
  return {
    server_name: answers.serverName,
    origin: answers.origin,
    configuration: configFile,
    data,
    ...(authority ? { authority_fingerprint_sha256: authority.fingerprint256 } : {}),
    ...(requestFile === null ? {} : { certificate_request: requestFile }),
  }
}

/**
 * `letro init`: from nothing to a server that can be started.
 *
 * Asks at the terminal, or reads the answers from a file. What could fail is tried before anything is written; what is
 * written is whole or is not there (new-site.ts).
 */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { Command } from 'commander'
import type { JsonObject } from '#protocol/json.ts'
import { act } from './act.ts'
import { authorityWords } from './certificate-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { askForSite } from './init-questions.ts'
import { mustBeNew, type NewSite, siteNames, writeSite } from './new-site.ts'
import { openTerminal, Questions, type Terminal } from './questions.ts'
import { AnswersWrong, parseSiteAnswers, type SiteAnswers } from './site-answers.ts'
import { tell } from './terminal.ts'
import { askTimeServer } from './time-source.ts'

interface Options {
  readonly config: string
  readonly data?: string
  readonly answers?: string
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
  mustBeNew(configFile, data)
  const answers = options.answers === undefined ? await interview() : readAnswers(options.answers)
  const clock = await checkClock(answers.timeServers)
  const site = await writeSite(answers, configFile, data, Date.now())
  tell(options, answerOf(answers, site), [clock, whatNext(answers, site)].filter(Boolean).join('\n'))
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

function readAnswers(file: string): SiteAnswers {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
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
    return withPathsFrom(dirname(resolve(file)), parseSiteAnswers(json))
  } catch (error) {
    if (!(error instanceof AnswersWrong)) throw error
    const list = error.problems.map(({ field, sentence }) => `  ${field}: ${sentence}`).join('\n')
    throw new CommandFailed(`Nothing was set up. In ${file}:\n\n${list}`, exitCodes.unsound)
  }
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
  const { origin, administrator, serverName, certificate, timeServers, peers, listen } = answers
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
    ...(timeServers.length === 0
      ? []
      : [
          `Let the machine follow your time servers. With systemd, in /etc/systemd/timesyncd.conf:\n     [Time]\n     NTP=${timeServers.join(' ')}`,
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

/** `letro enrol`: bringing people in, one by one or from a list, and the sheets that they get. */
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import qrcode from 'qrcode'
import type { JsonObject } from '#protocol/json.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import {
  applyList,
  type ImportReport,
  type Invited,
  importList,
  invite,
  inviteAgain,
  openLinks,
  type SiteFacts,
  siteOf,
} from './enrol-server.ts'
import { importText, invitedText } from './enrol-text.ts'
import { exitCodes } from './exit-codes.ts'
import { connect, type ServerOptions, withServer } from './server-connection.ts'
import { type SheetLanguage, sheetLanguages } from './sheet-texts.ts'
import { mustTakeSheets, writeSheets } from './sheets.ts'
import { confirm, eachTenth, print, printer, tell } from './terminal.ts'

interface Options extends ServerOptions {
  readonly days?: string
  readonly code?: boolean
  readonly sheets?: string
  readonly contact?: string
  readonly language?: string
  readonly yes?: boolean
}

interface PersonOptions extends Options {
  readonly name?: string
  readonly kind?: string
  readonly ends?: string
  readonly sponsor?: string
}

interface ListOptions extends Options {
  readonly apply?: boolean
  readonly again?: boolean
  readonly lockLeavers?: boolean
}

export function enrolCommand(): Command {
  const enrol = new Command('enrol').description('Bring people in: links, lists, sheets to print.')
  const command = (name: string) => withServer(enrol.command(name))

  withHandOut(command('person <username>'))
    .description('Invite one person.')
    .option('--name <name>', 'as others will see it; they can change it')
    .option('--kind <kind>', 'member, external or administrator', 'member')
    .option('--ends <day>', 'an external person’s last day, as in 2027-03-31')
    .option('--sponsor <username>', 'the member who answers for an external person')
    .action(
      act(async (options: PersonOptions, username: string) => {
        const server = await connect(options)
        const site = await siteOf(server)
        await checkHandOut(options)
        const person = await invite(server, site, username, { ...personBody(options), ...linkBody(options) })
        await handOut(options, site, [{ ...person, ...(options.name ? { displayName: options.name } : {}) }])
      }),
    )

  withHandOut(command('again <username>'))
    .description('Let somebody who lost everything start again with a new passkey.')
    .addHelpText(
      'after',
      `
Nothing changes until the link is used. Using it ends the person's passkeys, sessions and devices.
Their rooms return; messages do not, unless they have another device or their recovery key.
`,
    )
    .action(
      act(async (options: Options, username: string) => {
        const server = await connect(options)
        const site = await siteOf(server)
        await checkHandOut(options)
        await handOut(options, site, [await inviteAgain(server, site, username, linkBody(options))])
      }),
    )

  withHandOut(command('list <file.csv>'))
    .description('Compare a list of people with who is here, and invite those who are new.')
    .option('--apply', 'do it; without this, only show what would happen')
    .option('--again', 'new links for those, too, who have one and did not use it')
    .option('--lock-leavers', 'lock the accounts of people who are not on the list')
    .option('--yes', 'do not ask before locking')
    .addHelpText(
      'after',
      `
The file is CSV in UTF-8 with a first line of column names; only username is needed:

  username,name,kind,ends,sponsor,language
  amal,Amal Haddad,,,,ar
  j.weber,Jonas Weber,external,2027-03-31,amal,de

The same list again changes nothing. People who left are named, and with --lock-leavers locked, which
can be taken back; nobody is deactivated by a list. Administrators and services are left alone.

Examples:
  letro enrol list people.csv --data /var/lib/letro
  letro enrol list people.csv --apply --sheets sheets.html --contact "IT desk, ext. 4711"
`,
    )
    .action(act((options: ListOptions, file: string) => enrolList(options, file)))

  command('open')
    .description('Links that were handed out and not used.')
    .action(
      act(async (options: Options) => {
        const links = await openLinks(await connect(options))
        const lines = links.map(
          link => `${link.user_id}  (${link.purpose}, ${link.kind}, until ${day(link.expires_ts)})`,
        )
        tell(options, { links }, lines.length === 0 ? 'No link is open.' : lines.join('\n'))
      }),
    )

  command('withdraw <username>')
    .description('End the open link of somebody.')
    .action(
      act(async (options: Options, username: string) => {
        const server = await connect(options)
        const { userIdOf } = await siteOf(server)
        const found = (await openLinks(server)).find(link => link.user_id === userIdOf(username))
        if (!found) throw new CommandFailed(`${username} has no open link.`, exitCodes.unsound)
        await server.ask('DELETE', `/enrolment-links/${found.id}`)
        tell(options, {}, `The link of ${found.user_id} works no more.`)
      }),
    )
  return enrol
}

/** What there would be to do, is done with --apply; what only some option does, is said with it. */
function nextText({ new: newPeople, changed, waiting, leavers }: ImportReport): string {
  const open = leavers.filter(({ locked }) => !locked)
  const lines = [
    newPeople.length + changed.length > 0 ? 'Do it with: --apply' : '',
    waiting.length > 0 ? 'New links for those who wait: --apply --again' : '',
    open.length > 0 ? 'Lock those who left: --apply --lock-leavers' : '',
  ].filter(line => line !== '')
  return ['\nNothing was changed.', ...(lines.length > 0 ? lines : ['There is nothing to do.'])].join('\n')
}

async function enrolList(options: ListOptions, file: string): Promise<void> {
  await checkHandOut(options)
  const server = await connect(options)
  const site = await siteOf(server)
  const csv = await readList(file)
  const shown = await importList(server, { csv })
  const say = printer(options)
  say(importText(shown, options.apply === true))
  if (shown.problems.length > 0) {
    if (options.json) print(JSON.stringify(shown))
    throw new CommandFailed('The list has problems: nothing was changed.', exitCodes.unsound)
  }
  if (!options.apply) {
    if (options.json) print(JSON.stringify(shown))
    else say(nextText(shown))
    return
  }
  const locks = options.lockLeavers === true && shown.leavers.some(({ locked }) => !locked)
  if (locks && !options.yes && !(await confirm('\nType yes to lock the accounts of those who left: ')))
    throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
  const tenth = eachTenth(say)
  const done = await applyList(
    server,
    { csv, again: options.again === true, lock_leavers: options.lockLeavers === true, ...linkBody(options) },
    (count, total) => tenth(`${count} of ${total} done`, count / total),
  )
  const invited = [...done.new, ...done.waiting, ...done.changed].flatMap(person =>
    person.link === undefined
      ? []
      : [{ ...site.invited(person), ...(person.language ? { language: person.language } : {}) }],
  )
  if (options.json) print(JSON.stringify(done))
  if (options.sheets !== undefined) await sheets(options, site, invited)
  else if (!options.json) for (const person of invited) print(`${person.userId}  ${person.link}`)
  say(`\nDone: ${invited.length} ${invited.length === 1 ? 'link' : 'links'}.`)
}

async function handOut(options: Options, site: SiteFacts, invited: readonly Invited[]): Promise<void> {
  if (options.json) print(JSON.stringify({ invited }))
  else {
    for (const person of invited) {
      print(invitedText(person))
      const type = process.stdout.isTTY ? 'terminal' : 'utf8'
      print(await qrcode.toString(person.link, { type, small: true, errorCorrectionLevel: 'L' }))
    }
  }
  if (options.sheets !== undefined) await sheets(options, site, invited)
}

/** Before anybody gets a link. */
async function checkHandOut(options: Options): Promise<void> {
  languageOf(options.language)
  await mustTakeSheets(options.sheets)
}

async function sheets(options: Options, site: SiteFacts, invited: readonly Invited[]): Promise<void> {
  const { sheets: file = '', contact = null } = options
  await writeSheets(file, { site, contact, language: languageOf(options.language) }, invited)
  printer(options)(
    `${invited.length} ${invited.length === 1 ? 'sheet is' : 'sheets are'} in ${file}: open it in a browser and print. Whoever reads a sheet can take that person's place until it is used: hand it over, then delete the file.`,
  )
}

function withHandOut(command: Command): Command {
  return command
    .option('--days <number>', 'how long the link works (default: 7; with --code 1)')
    .option('--code', 'with a code that can be typed, too')
    .option('--sheets <file.html>', 'write one A4 page a person, to print')
    .option('--contact <text>', 'on the sheet: whom to ask')
    .option('--language <en|ar|de|fr>', 'of the sheet, where the list says nothing', 'en')
}

function linkBody({ days, code, sheets }: Options): JsonObject {
  const lifetime = days === undefined ? null : Number(days)
  if (lifetime !== null && !(lifetime > 0 && lifetime <= 90))
    throw new CommandFailed('--days is a number from 1 to 90.', exitCodes.usage)
  // Who gets a sheet may sit at a computer without a camera.
  const withCode = code === true || sheets !== undefined
  const ms = lifetime ?? (withCode && code !== true ? 7 : null)
  return {
    ...(withCode ? { code: true } : {}),
    ...(ms === null ? {} : { lifetime_ms: Math.round(ms * dayMs) }),
  }
}

const dayMs = 24 * 60 * 60 * 1000

function personBody({ name, kind, ends, sponsor }: PersonOptions): JsonObject {
  const end = ends === undefined ? null : Date.parse(`${ends}T00:00:00Z`)
  if (end !== null && (Number.isNaN(end) || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(ends ?? '')))
    throw new CommandFailed('--ends is a day, as in 2027-03-31.', exitCodes.usage)
  if (kind === 'external' && (end === null || sponsor === undefined))
    throw new CommandFailed(
      'An external person needs a last day, and a member who answers for them: --ends 2027-03-31 --sponsor USERNAME.',
      exitCodes.usage,
    )
  return {
    kind: kind ?? 'member',
    ...(name === undefined ? {} : { display_name: name }),
    ...(end === null ? {} : { expires_ts: end + dayMs }),
    ...(sponsor === undefined ? {} : { sponsor }),
  }
}

function languageOf(text: string | undefined): SheetLanguage {
  const known = sheetLanguages.find(each => each === (text ?? 'en'))
  if (known) return known
  throw new CommandFailed(`--language is one of ${sheetLanguages.join(', ')}.`, exitCodes.usage)
}

async function readList(file: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch {
    throw new CommandFailed(`${file} cannot be read.`, exitCodes.impossible)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CommandFailed(
      `${file} is not in UTF-8. In Excel save it as "CSV UTF-8", in LibreOffice choose the character set UTF-8.`,
      exitCodes.unsound,
    )
  }
}

function day(ts: number): string {
  return new Date(ts).toISOString().slice(0, 10)
}

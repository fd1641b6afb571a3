/**
 * `letro audit export` and `letro audit check`: the record of administrative acts, and whether it is whole.
 *
 * The chain is checked here, not by the server that wrote it. From a stopped server the rows are read directly; a
 * running one is asked for an export.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import {
  type AuditEntry,
  type AuditVerdict,
  checkAuditChain,
  checkAuditContinues,
  parseAuditEntry,
} from '#protocol/audit-chain.ts'
import { auditFile } from '#protocol/local-request.ts'
import { auditTable } from '../server/store/catalogue.ts'
import { openLevelStore } from '../server/store/level-engine.ts'
import { storeFolder } from '../server/store/level-folder.ts'
import { StoreError } from '../server/store/store.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { askServer, withdraw } from './local-requests.ts'
import { tell } from './terminal.ts'

const waitMs = 30_000

/** What a command could not do, in words for the person who typed it. */
class Impossible extends Error {}

interface CheckOptions {
  readonly data?: string
  readonly file?: string
  readonly earlier?: string
  readonly json?: boolean
}

export function auditCommand(): Command {
  const audit = new Command('audit').description('The record of administrative acts.')
  audit
    .command('export')
    .description('Write all entries as JSON lines, oldest first.')
    .requiredOption('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--out <file>', 'write to this file (mode 0600) instead of the terminal')
    .action(async (options: { data: string; out?: string }) => {
      process.exitCode = await run(async () => {
        const text = (await readEntries(resolve(options.data)))
          .map(entry => `${JSON.stringify(entry)}\n`)
          .join('')
        if (options.out === undefined) process.stdout.write(text)
        else await writeFile(options.out, text, { mode: 0o600 })
        return exitCodes.done
      })
    })
  audit
    .command('check')
    .description('Say whether an entry was removed, changed or moved.')
    .option('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--file <file>', 'an export, instead of the data folder')
    .option('--earlier <file>', 'an export that was kept elsewhere: is all of it still there, unchanged?')
    .option('--json', 'answer in JSON, for scripts')
    .addHelpText(
      'after',
      `
The chain has no key: who can rewrite the whole data folder can rewrite the chain, and cut
its end. Keep exports elsewhere, and compare with --earlier.

Exit codes:
  0  the record is whole
  1  something was removed, changed or moved
  2  the command line is wrong
  4  it could not run
`,
    )
    .action(async (options: CheckOptions) => {
      process.exitCode = await run(() => check(options))
    })
  return audit
}

async function check(options: CheckOptions): Promise<ExitCode> {
  const { data, file, earlier } = options
  if ((data === undefined) === (file === undefined)) {
    process.stderr.write('Give either --data or --file.\n')
    return exitCodes.usage
  }
  const entries = data === undefined ? await readExport(file!) : await readEntries(resolve(data))
  const verdict = checkAuditChain(entries, sha256)
  if (verdict.kind === 'broken') return tellVerdict(options, verdict)
  if (earlier !== undefined) {
    const before = await readExport(earlier)
    const earlierVerdict = checkAuditChain(before, sha256)
    if (earlierVerdict.kind === 'broken') {
      if (!options.json) process.stdout.write('The EARLIER export itself is not whole:\n')
      return tellVerdict(options, earlierVerdict)
    }
    const continues = checkAuditContinues(before, entries)
    if (continues) return tellVerdict(options, continues)
  }
  return tellVerdict(options, verdict)
}

function tellVerdict(options: CheckOptions, verdict: AuditVerdict): ExitCode {
  const isWhole = verdict.kind === 'whole'
  const text = isWhole
    ? `The record is whole: ${verdict.entries} entries, last hash ${verdict.tip.hash}.`
    : `The record is NOT whole: ${verdict.reason}.`
  tell(
    options,
    isWhole
      ? { whole: true, entries: verdict.entries, hash: verdict.tip.hash }
      : { whole: false, reason: verdict.reason },
    text,
  )
  return isWhole ? exitCodes.done : exitCodes.unsound
}

async function readEntries(data: string): Promise<AuditEntry[]> {
  await needFolder(storeFolder(data))
  try {
    const store = await openLevelStore(storeFolder(data))
    try {
      return (await store.read(view => view.range(auditTable.under()))).map(row => row.value)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error
    return await askForEntries(data)
  }
}

async function askForEntries(data: string): Promise<AuditEntry[]> {
  const asked = await askServer(data, { type: 'export-audit', createdTs: Date.now() }, waitMs)
  if (asked.answer === null) {
    await withdraw(asked)
    throw new Impossible('The data is in use, but the server does not answer. Is another command running?')
  }
  if (!asked.answer.ok) throw new Impossible(asked.answer.error)
  const file = join(asked.folder, auditFile(asked.id))
  try {
    return await readExport(file)
  } finally {
    await rm(file, { force: true })
  }
}

async function readExport(file: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number++
    const entry = parseAuditEntry(line)
    if (!entry) throw new Impossible(`${file}, line ${number}: no audit entry.`)
    entries.push(entry)
  }
  return entries
}

async function needFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (!found?.isDirectory())
    throw new Impossible(`There is no store in ${path}. Is this the folder of server.data?`)
}

async function run(command: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await command()
  } catch (error) {
    const file = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!(error instanceof Impossible) && !(error instanceof StoreError) && !file) throw error
    process.stderr.write(`${(error as Error).message}\n`)
    return exitCodes.impossible
  }
}

const sha256 = (message: Uint8Array | string) => createHash('sha256').update(message).digest()

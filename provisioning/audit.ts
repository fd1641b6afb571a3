/**
 * `letro audit export` and `letro audit check`: the record of administrative acts, and whether it is whole.
 *
 * The chain is checked here, not by the server that wrote it. From a stopped server the rows are read directly; a
 * running one is asked for an export.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
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
import { auditTable } from '../server/store/catalogue.ts'
import { openLevelStore } from '../server/store/level-engine.ts'
import { storeFolder } from '../server/store/level-folder.ts'
import { StoreError } from '../server/store/store.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { connect, type ServerConnection, type ServerOptions, withServer } from './server-connection.ts'
import { printer, tell } from './terminal.ts'

interface Options extends ServerOptions {
  readonly out?: string
  readonly file?: string
  readonly earlier?: string
}

export function auditCommand(): Command {
  const audit = new Command('audit').description('The record of administrative acts.')
  withServer(audit.command('export'))
    .description('Write all entries as JSON lines, oldest first.')
    .option('--out <file>', 'write to this file (mode 0600) instead of the terminal')
    .action(
      act(async (options: Options) => {
        const lines = (await readEntries(options)).map(entry => `${JSON.stringify(entry)}\n`)
        if (options.out === undefined) process.stdout.write(lines.join(''))
        else await writeExport(options.out, lines)
      }),
    )
  withServer(audit.command('check'))
    .description('Say whether an entry was removed, changed or moved.')
    .option('--file <file>', 'an export, instead of a server')
    .option('--earlier <file>', 'an export that was kept elsewhere: is all of it still there, unchanged?')
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
    .action(act((options: Options) => check(options)))
  return audit
}

async function check(options: Options): Promise<ExitCode> {
  const { data, server, file, earlier } = options
  if (file !== undefined && (data !== undefined || server !== undefined))
    throw new CommandFailed('Give either a server (--data, --server) or --file.', exitCodes.usage)
  const entries = file === undefined ? await readEntries(options) : await readExport(file)
  const verdict = checkAuditChain(entries, sha256)
  if (verdict.kind === 'broken') return tellVerdict(options, verdict)
  if (earlier !== undefined) {
    const before = await readExport(earlier)
    const earlierVerdict = checkAuditChain(before, sha256)
    if (earlierVerdict.kind === 'broken') {
      printer(options)('The EARLIER export itself is not whole:')
      return tellVerdict(options, earlierVerdict)
    }
    const continues = checkAuditContinues(before, entries)
    if (continues) return tellVerdict(options, continues)
  }
  return tellVerdict(options, verdict)
}

function tellVerdict(options: Options, verdict: AuditVerdict): ExitCode {
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

/** Of a stopped server from its store, of a running one from the server: its rows are its own. */
async function readEntries(options: Options): Promise<AuditEntry[]> {
  if (options.data === undefined) return entriesOf(await connect(options))
  const data = resolve(options.data)
  const found = await stat(storeFolder(data)).catch(() => null)
  if (!found?.isDirectory()) {
    throw new CommandFailed(
      `There is no store in ${storeFolder(data)}. Is this the folder of server.data?`,
      exitCodes.impossible,
    )
  }
  try {
    const store = await openLevelStore(storeFolder(data))
    try {
      return (await store.read(view => view.range(auditTable.under()))).map(row => row.value)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code !== 'STORE_LOCKED') throw new CommandFailed(error.message, exitCodes.impossible)
    return entriesOf(await connect({ data }))
  }
}

async function entriesOf(server: ServerConnection): Promise<AuditEntry[]> {
  const folder = await mkdtemp(join(tmpdir(), 'letro-audit-'))
  try {
    const file = join(folder, 'audit.jsonl')
    await server.download('/audit/export', file)
    return await readExport(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeExport(file: string, lines: readonly string[]): Promise<void> {
  try {
    await writeFile(file, lines.join(''), { mode: 0o600 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new CommandFailed(`${file} cannot be written (${code}).`, exitCodes.impossible)
  }
}

async function readExport(file: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  let number = 0
  try {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      number++
      const entry = parseAuditEntry(line)
      if (!entry) throw new CommandFailed(`${file}, line ${number}: no audit entry.`, exitCodes.impossible)
      entries.push(entry)
    }
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw new CommandFailed(`${file} cannot be read.`, exitCodes.impossible)
  }
  return entries
}

const sha256 = (message: Uint8Array | string) => createHash('sha256').update(message).digest()

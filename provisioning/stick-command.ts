/**
 * `letro stick`: the stick with which an appliance is set up. No tool is needed for one, a letro.json on a medium labelled LETROCONF
 * will do; this checks the answers first, takes along what they name, and signs them.
 */
import { generateKeyPairSync } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { fingerprintLines } from '#protocol/fingerprint-words.ts'
import {
  type StickFile,
  stickFile,
  stickFingerprint,
  stickLabel,
  stickSignatureFile,
} from '#protocol/stick.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { fatImage } from './fat-image.ts'
import { readAnswers } from './init-command.ts'
import { readCardFile, wordsOf } from './peer-card.ts'
import { cardText, wordsText } from './peer-text.ts'
import { answerAdministrator, type PeerAnswer, type SiteAnswers } from './site-answers.ts'
import { filesFor, sha256, signatureFile } from './stick-files.ts'
import { confirm, printer, tell } from './terminal.ts'

interface WriteOptions {
  readonly folder?: string
  readonly image?: string
  readonly key?: string
  readonly administrator?: string
  readonly peer?: readonly string[]
  readonly yes?: boolean
  readonly json?: boolean
}

export function stickCommand(): Command {
  const stick = new Command('stick').description('The stick with which an appliance is set up.')

  stick
    .command('write <letro.json>')
    .description('Check the answers and write them to a stick, with the files that they name.')
    .option('--folder <folder>', `where the stick is mounted; its label must be ${stickLabel}`)
    .option(
      '--image <file>',
      'in place of a folder: a small FAT image, for dd or as a second disk of a virtual machine',
    )
    .option(
      '--key <file>',
      'sign it, so that an appliance which knows this key asks nobody (letro stick key)',
    )
    .option('--administrator <name>', 'in place of the one in the answers')
    .option('--peer <card>', 'take along this card of another site; may be given more than once', collect, [])
    .option('--yes', 'do not ask: words were compared, and a letro.json on the stick may be replaced')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      `
Without --key the appliance shows the answers with sixteen words; somebody there says yes.
Never copy the private key of a certificate to a stick that leaves your hands.

Examples:
  letro stick write letro.json --folder /media/LETROCONF
  letro stick write letro.json --image stick.img --key stick-key.pem --peer court.card.json
  dd if=stick.img of=/dev/sdX bs=1M && sync

Exit codes:
  0  written
  1  an answer is wrong, or nobody confirmed; nothing was written
  2  the command line is wrong
  4  it could not run: no such file, no space
`,
    )
    .action(act<WriteOptions, [string]>((options, file) => write(options, file)))

  stick
    .command('key <file>')
    .description(
      'Make a key that signs sticks. It belongs on the machine where sticks are written, never on a server.',
    )
    .option('--json', 'answer as JSON')
    .action(act<{ json?: boolean }, [string]>(async (options, file) => makeKey(options, file)))
  return stick
}

async function write(options: WriteOptions, answersFile: string): Promise<void> {
  if ((options.folder === undefined) === (options.image === undefined))
    throw new CommandFailed('Give either --folder FOLDER or --image FILE.', exitCodes.usage)
  const print = printer(options)
  const answers = await completed(readAnswers(answersFile, false), options, print)
  const files = filesFor(answers, answersFile)
  const signed = options.key === undefined ? files : [...files, signatureFile(files, options.key)]
  if (options.folder !== undefined) await writeFolder(options.folder, signed, options)
  else await writeImage(options.image!, signed, options)

  const words = stickFingerprint(files, sha256)
  const where = options.folder ?? options.image!
  print(`\nWritten to ${where}: ${signed.map(({ name }) => name).join(', ')}.`)
  print(
    options.key === undefined
      ? '\nThe appliance shows these words for it. Say yes there only where they are the same:\n'
      : '\nAn appliance that knows the key takes it without asking; any other shows these words:\n',
  )
  print(
    fingerprintLines(words)
      .map(line => `   ${line}`)
      .join('\n'),
  )
  if (
    files.some(({ bytes }) => Buffer.from(bytes).includes('PRIVATE KEY')) ||
    files.some(({ name }) => /\.(?:p12|pfx)$/i.test(name))
  )
    print('\nIt holds a private key: wipe or destroy the stick once the appliance runs.')
  if (options.json)
    tell(options, { written: where, files: signed.map(({ name }) => name), fingerprint: words }, '')
}

async function completed(
  answers: SiteAnswers,
  options: WriteOptions,
  print: (text: string) => void,
): Promise<SiteAnswers> {
  const peers: PeerAnswer[] = [...answers.peers]
  for (const file of options.peer ?? []) {
    const card = await readCardFile(file)
    const words = wordsOf(card.rootKey)
    print(`\n${cardText(card)}\nIts key in words:\n\n${wordsText(words)}`)
    const question = `Did the administrator of ${card.serverName} read the same sixteen words to you? Type yes: `
    if (!options.yes && !(await confirm(question)))
      throw new CommandFailed('Nothing was written.', exitCodes.unsound)
    peers.push({ card: card.json, fingerprint: words.join(' ') })
  }
  if (peers.length > 0 && !answers.listen.federation)
    throw new CommandFailed(
      'Nothing was written: with peers the answers must say where other servers are answered: "listen": {"federation": "[::]:8448"}.',
      exitCodes.unsound,
    )
  if (options.administrator === undefined) return { ...answers, peers }
  const administrator = answerAdministrator(options.administrator)
  if (!administrator.ok)
    throw new CommandFailed(`--administrator: what is needed is ${administrator.sentence}`, exitCodes.usage)
  return { ...answers, peers, administrator: administrator.value }
}

/** letro.json last: a stick that is pulled out early holds none. What was there is gone before that. */
async function writeFolder(
  folder: string,
  files: readonly StickFile[],
  options: WriteOptions,
): Promise<void> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CommandFailed(`There is no folder ${folder}. Is the stick mounted?`, exitCodes.impossible)
  await mayReplace(join(folder, stickFile), options)
  try {
    for (const name of [stickFile, stickSignatureFile]) rmSync(join(folder, name), { force: true })
    for (const { name, bytes } of [...files].reverse()) writeSynced(join(folder, name), bytes)
  } catch (error) {
    throw notWritten(folder, error)
  }
}

async function writeImage(file: string, files: readonly StickFile[], options: WriteOptions): Promise<void> {
  await mayReplace(file, options)
  try {
    writeSynced(file, fatImage(stickLabel, files, new Date()))
  } catch (error) {
    throw notWritten(file, error)
  }
}

async function mayReplace(file: string, { yes }: WriteOptions): Promise<void> {
  if (!existsSync(file) || yes) return
  if (!(await confirm(`${file} is there already. Type yes to replace it: `)))
    throw new CommandFailed('Nothing was written.', exitCodes.unsound)
}

function makeKey(options: { readonly json?: boolean }, file: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const publicFile = `${file.replace(/\.pem$/, '')}.public.pem`
  try {
    writeSynced(publicFile, Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })), 'wx', 0o644)
    writeSynced(file, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })), 'wx', 0o600)
  } catch (error) {
    throw notWritten(file, error)
  }
  tell(
    options,
    { key: file, public: publicFile },
    `The key is in ${file}, without a passphrase: whoever has that file can set up your appliances. Keep it off every server,
and a copy in a safe.

Its public half is in ${publicFile}. An image that is built with it among its keys (as stick-NAME.pem) takes sticks
that are signed with the key without asking anybody.`,
  )
}

function writeSynced(path: string, bytes: Uint8Array, flag = 'w', mode = 0o600): void {
  const file = openSync(path, flag, mode)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function notWritten(path: string, error: unknown): CommandFailed {
  const code =
    error instanceof Error && 'code' in error
      ? String(error.code)
      : error instanceof RangeError
        ? error.message
        : ''
  if (code === 'EEXIST')
    return new CommandFailed(`${path} is there already. Nothing was changed.`, exitCodes.unsound)
  if (code === 'ENOSPC')
    return new CommandFailed(`${path} is full. What was written there is not whole.`, exitCodes.impossible)
  return new CommandFailed(`${path} cannot be written (${code}).`, exitCodes.impossible)
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

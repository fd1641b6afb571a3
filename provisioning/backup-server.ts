/** What `letro backup` asks of a running server. */
import { open } from 'node:fs/promises'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { listText, progressText, statusText } from './backup-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { connect, type ServerConnection, type ServerOptions } from './server-connection.ts'
import { print, tell } from './terminal.ts'

export interface KeyOptions extends ServerOptions {
  readonly out?: string
  readonly offline?: boolean
}

/** Made here, shown here: the server learns the public half. */
export async function makeKey(options: KeyOptions): Promise<void> {
  // Before the key: one that the server does not take would only confuse.
  const server = options.offline ? null : await connect(options)
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  if (options.out !== undefined) await writeKey(options.out, identity, recipient)
  await server?.ask('PUT', '/backup-recipients', { recipients: [recipient] })
  const shown = options.out === undefined ? { private_key: identity } : { file: options.out }
  if (options.json) return print(JSON.stringify({ recipient, ...shown }))
  print(
    options.out === undefined
      ? `This is the private key. It is shown once, and kept nowhere:\n\n  ${identity}\n`
      : `The private key is in ${options.out}. Take it away from this machine.\n`,
  )
  print(
    'Without it no backup can be opened, by nobody: write it down twice, and keep the sheets in two places',
  )
  print('that no fire takes together, under lock: with it and a backup one reads all of this server’s data.')
  print('')
  print(
    server
      ? `From now on backups are encrypted for it (${recipient}).\nThe next backup is a full one; older ones open with the key that they were made for.`
      : `Put its public half into letro.toml:\n\n  [backup]\n  recipients = ["${recipient}"]`,
  )
}

export interface CreateOptions extends ServerOptions {
  readonly out?: string
  readonly wait: boolean
}

export async function createBackup(options: CreateOptions): Promise<void> {
  const server = await connect(options)
  if (options.out !== undefined) {
    await server.download('/backups/new', options.out)
    return tell(
      options,
      { file: options.out },
      `Fetched whole: ${options.out}. Try it: letro backup verify ${options.out} --key FILE`,
    )
  }
  let before = await server.ask('GET', '/backups')
  if (isObject(before['running'])) {
    if (!options.wait)
      return tell(options, { started: false }, 'One is being made already. See: letro backup status')
    // The nightly one. Ours shows a later moment.
    before = await untilDone(server, options)
  }
  await server.ask('POST', '/backups')
  if (!options.wait) return tell(options, { started: true }, 'It has begun. See: letro backup status')
  const after = await untilDone(server, options)
  const failed = after['last_failure']
  if (isObject(failed) && !isSame(before['last_failure'], failed)) {
    throw new CommandFailed(String(failed['error']), exitCodes.unsound)
  }
  const done = after['last_success']
  tell(options, isObject(done) ? done : {}, statusText(after))
}

export async function showStatus(options: ServerOptions): Promise<void> {
  const status = await (await connect(options)).ask('GET', '/backups')
  tell(options, status, statusText(status))
}

export async function listBackups(options: ServerOptions): Promise<void> {
  const { files } = await (await connect(options)).ask('GET', '/backups')
  const list = (Array.isArray(files) ? files : []) as { name: string; bytes: number }[]
  tell(options, { files: list }, listText(list))
}

async function untilDone(server: ServerConnection, { json }: ServerOptions): Promise<JsonObject> {
  const isSeen = !json && process.stderr.isTTY
  for (;;) {
    const status = await server.ask('GET', '/backups')
    const { running } = status
    if (!isObject(running)) {
      if (isSeen) process.stderr.write('\r\x1b[K')
      return status
    }
    if (isSeen) process.stderr.write(`\r\x1b[KBacking up: ${progressText(running)}`)
    await new Promise(done => setTimeout(done, 500))
  }
}

function isSame(before: unknown, after: JsonObject): boolean {
  return isObject(before) && before['ts'] === after['ts']
}

async function writeKey(path: string, identity: string, recipient: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`# A key of Letro backups. Its public half: ${recipient}\n${identity}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandFailed(
      code === 'EEXIST'
        ? `${path} is there already. It may be the key of older backups: name another file.`
        : `${path} cannot be written (${code}).`,
      exitCodes.impossible,
    )
  }
}

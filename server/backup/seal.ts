/** Encrypting a stream in the age format, in a process of its own (sealer-main.ts). */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { childStdio } from '../store/child-stdio.ts'
import { BackupError } from './backup-error.ts'

/** For whom: public keys (`age1…`), or whoever knows a passphrase. Never both: age does not allow it. */
export interface Recipients {
  readonly recipients: readonly string[]
  readonly passphrase?: string
  /** Of scrypt; only tests lower it. */
  readonly workFactor?: number
}

/**
 * The encrypted form of `plain`, as it comes. Whoever stops reading stops the process. What `plain` throws is thrown
 * here, and then what was read so far is no whole file.
 */
export async function* seal(plain: AsyncIterable<Uint8Array>, forWhom: Recipients): AsyncGenerator<Buffer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'sealer-main.ts')], {
    stdio: childStdio('pipe', 'pipe', 'pipe'),
    // Nothing of ours is needed there, and the configuration may stand in the environment.
    env: {},
  })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said = (said + text).slice(-2_000)
  })
  const ended = new Promise<number | null>(resolve => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
  let failure: unknown
  const fed = pipeline(
    Readable.from(withFirstLine(plain, forWhom), { objectMode: false }),
    child.stdin,
  ).catch(error => {
    failure = error
    child.kill('SIGKILL')
  })
  try {
    for await (const piece of child.stdout) yield piece as Buffer
    await fed
    const code = await ended
    // It died first, and so its input broke: its own words count.
    if (code !== 0 && (failure === undefined || isBrokenPipe(failure))) {
      const last =
        said
          .trim()
          .split('\n')
          .find(line => /Error/.test(line)) ?? 'it gave no reason'
      throw new BackupError(
        'BACKUP_SOURCE',
        `The process that encrypts ended before its work was done: ${last}`,
      )
    }
    if (failure !== undefined) throw failure
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

async function* withFirstLine(plain: AsyncIterable<Uint8Array>, forWhom: Recipients) {
  const { recipients, passphrase, workFactor } = forWhom
  yield Buffer.from(
    `${JSON.stringify(passphrase === undefined ? { recipients } : { passphrase, workFactor })}\n`,
  )
  yield* plain
}

function isBrokenPipe(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

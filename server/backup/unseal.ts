/**
 * Opening what was encrypted in the age format (https://age-encryption.org/v1), as it streams.
 *
 * age notices every change and a missing end; it does not say who encrypted. That is what the signature inside is for.
 */
import { ReadableStream } from 'node:stream/web'
import { BackupError } from './backup-error.ts'
import { cutShort, unreadable } from './container.ts'

/** What opens a backup: private keys (`AGE-SECRET-KEY-1…`), a passphrase, or both. */
export interface UnsealKeys {
  readonly identities: readonly string[]
  readonly passphrase?: string
}

const intro = 'age-encryption.org/v1\n'

export async function* unseal(
  source: AsyncIterable<Uint8Array>,
  keys: UnsealKeys,
): AsyncGenerator<Uint8Array> {
  const watched = watch(source)
  const opened = await open(watched, keys)
  try {
    // A ReadableStream of Node, which iterates.
    for await (const piece of opened as unknown as AsyncIterable<Uint8Array>) yield piece
  } catch (error) {
    if (watched.failure !== undefined) throw watched.failure
    throw watched.isOver ? cutShort() : unreadable(error)
  }
}

async function open(watched: Watched, keys: UnsealKeys): Promise<ReadableStream<Uint8Array>> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  try {
    for (const identity of keys.identities) decrypter.addIdentity(identity)
  } catch (error) {
    throw new BackupError(
      'BACKUP_WRONG_KEY',
      'The key file holds no private key of age: a line that begins with AGE-SECRET-KEY-1.',
      { cause: error },
    )
  }
  if (keys.passphrase !== undefined) decrypter.addPassphrase(keys.passphrase)
  try {
    return await decrypter.decrypt(ReadableStream.from(watched) as ReadableStream<Uint8Array>)
  } catch (error) {
    if (watched.failure !== undefined) throw watched.failure
    if (!watched.begin.startsWith(intro.slice(0, watched.begin.length)) || watched.begin === '') {
      throw new BackupError(
        'BACKUP_NOT_ONE',
        'This file is not encrypted with age: it is no backup of Letro.',
      )
    }
    if (/no identity matched/.test((error as Error).message)) {
      throw new BackupError(
        'BACKUP_WRONG_KEY',
        keys.identities.length > 0
          ? 'This backup was not encrypted for this key. Use the private key whose recipient stood in the configuration when it was made.'
          : 'This backup does not open with this passphrase. If it was encrypted for a key, name the file of the private key.',
        { cause: error },
      )
    }
    throw watched.isOver ? cutShort() : unreadable(error)
  }
}

interface Watched extends AsyncIterable<Uint8Array> {
  readonly isOver: boolean
  /** The first characters. */
  readonly begin: string
  /** Reading itself failed. */
  readonly failure: unknown
}

function watch(source: AsyncIterable<Uint8Array>): Watched {
  const state = { isOver: false, begin: '', failure: undefined as unknown }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of source) {
        if (state.begin === '') state.begin = Buffer.from(piece).toString('latin1', 0, intro.length)
        yield piece
      }
      state.isOver = true
    } catch (error) {
      state.failure = error
      throw error
    }
  }
  return Object.assign(state, { [Symbol.asyncIterator]: pieces })
}

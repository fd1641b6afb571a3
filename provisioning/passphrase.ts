/**
 * Passphrases: typed at the terminal without being shown, or read from a file or a file descriptor. Never an argument, which
 * every process on the machine can see, and which the shell writes into its history.
 */
import { readFileSync } from 'node:fs'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'

export interface PassphraseOptions {
  readonly passphraseFile?: string
  readonly passphraseFd?: string
}

/** null: nobody is there to be asked, and no file was named. */
export async function passphraseFrom(options: PassphraseOptions, question: string): Promise<string | null> {
  const { passphraseFile, passphraseFd } = options
  if (passphraseFile !== undefined) return firstLine(passphraseFile, `--passphrase-file ${passphraseFile}`)
  if (passphraseFd !== undefined) {
    if (!/^[0-9]{1,4}$/.test(passphraseFd)) {
      throw new CommandFailed(
        '--passphrase-fd is the number of a file descriptor, as in: --passphrase-fd 3 3<file',
        exitCodes.usage,
      )
    }
    return firstLine(Number(passphraseFd), `--passphrase-fd ${passphraseFd}`)
  }
  return process.stdin.isTTY ? await typed(question) : null
}

function firstLine(from: string | number, shown: string): string {
  try {
    return readFileSync(from, 'utf8').split(/\r?\n/, 1)[0]!
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    throw new CommandFailed(`${shown} cannot be read (${code}).`, exitCodes.impossible)
  }
}

/** Each key as it is pressed, and nothing of it on the screen. */
function typed(question: string): Promise<string> {
  const { stdin, stdout } = process
  stdout.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  return new Promise((resolve, reject) => {
    let text = ''
    const end = (done: () => void) => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stdout.write('\n')
      done()
    }
    const take = (chunk: string) => {
      for (const key of chunk) {
        if (key === '\r' || key === '\n' || key === '\u0004') return end(() => resolve(text))
        if (key === '\u0003') {
          return end(() => reject(new CommandFailed('Nothing was changed.', exitCodes.unsound)))
        }
        text = key === '\u007f' || key === '\b' ? [...text].slice(0, -1).join('') : text + key
      }
    }
    stdin.on('data', take)
  })
}

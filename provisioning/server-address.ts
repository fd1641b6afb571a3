/** The address of a server, and the authority of its certificate, as they are typed. */
import { readFile } from 'node:fs/promises'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'

/** Without a slash at the end. Plain http reaches no further than this machine. */
export function serverAddress(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : null
  const isHere = url !== null && /^(?:.+\.)?localhost$|^127\.|^\[::1\]$/.test(url.hostname)
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)))
    throw new CommandFailed(
      `${given} is no https address, as in https://chat.clinic.example.`,
      exitCodes.usage,
    )
  return url.origin
}

export async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    throw new CommandFailed(`--ca ${file} cannot be read.`, exitCodes.impossible)
  }
}

/** The passphrase of a machine without a TPM: it is all that stands between a stolen disk and the data. */
import { DiskError } from './disk-error.ts'

const shortest = 14
const longest = 256

/** What is wrong with it, as a sentence; null: it can be taken. */
export function passphraseProblem(passphrase: string): string | null {
  const typed = [...plainPassphrase(passphrase)]
  if (typed.length < shortest) return `A passphrase has ${shortest} letters or more; five words are good.`
  if (typed.length > longest) return `A passphrase has at most ${longest} letters.`
  if (typed.some(letter => /[\p{Cc}\p{Cf}]/u.test(letter))) {
    return 'The passphrase has a key in it that types no letter.'
  }
  if (new Set(typed).size < 6) return 'The passphrase repeats the same few letters; five words are good.'
  return null
}

/** The same text from every keyboard. */
export function plainPassphrase(passphrase: string): string {
  return passphrase.normalize('NFC')
}

export function requirePassphrase(passphrase: string): string {
  const problem = passphraseProblem(passphrase)
  if (problem !== null) throw new DiskError('PASSPHRASE_WEAK', problem)
  return plainPassphrase(passphrase)
}

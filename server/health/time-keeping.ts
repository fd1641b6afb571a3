/**
 * Whether something keeps the machine's clock right, as systemd or chrony say; where neither can be asked, nobody knows.
 * Asked every five minutes at most.
 */
import { outputOf } from './child-program.ts'

const freshMs = 5 * 60_000
const limitMs = 3_000

export function openTimeKeeping(monotonic: () => number): () => Promise<boolean | null> {
  let asked: { readonly at: number; readonly answer: Promise<boolean | null> } | null = null
  return () => {
    const at = monotonic()
    if (!asked || at - asked.at >= freshMs) asked = { at, answer: ask() }
    return asked.answer
  }
}

async function ask(): Promise<boolean | null> {
  const systemd = await outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value'], limitMs)
  if (systemd?.trim() === 'yes') return true
  const chrony = await outputOf('chronyc', ['-n', 'tracking'], limitMs)
  const leap = chrony === null ? null : /^Leap status\s*:\s*(.+)$/m.exec(chrony)?.[1]
  if (leap !== undefined && leap !== null) return leap.trim() !== 'Not synchronised'
  return systemd?.trim() === 'no' ? false : null
}

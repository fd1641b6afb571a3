/**
 * Whether something keeps the machine's clock right, as systemd or chrony say; where neither can be asked, nobody knows.
 * A yes holds for five minutes. Anything else is asked again soon: a clock is put right a minute after the start.
 */
import { outputOf } from './child-program.ts'

const yesHoldsMs = 5 * 60_000
const otherHoldsMs = 30_000
const limitMs = 3_000

type Answer = boolean | null

/** @param ask of whoever keeps time on this machine */
export function openTimeKeeping(
  monotonic: () => number,
  ask: () => Promise<Answer> = askMachine,
): () => Promise<Answer> {
  let asked: { readonly at: number; readonly answer: Promise<Answer>; holdsMs: number } | null = null
  return () => {
    const at = monotonic()
    if (!asked || at - asked.at >= asked.holdsMs) {
      const now = { at, answer: ask(), holdsMs: otherHoldsMs }
      void now.answer.then(answer => {
        if (answer === true) now.holdsMs = yesHoldsMs
      })
      asked = now
    }
    return asked.answer
  }
}

async function askMachine(): Promise<Answer> {
  const systemd = await outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value'], limitMs)
  if (systemd?.trim() === 'yes') return true
  const chrony = await outputOf('chronyc', ['-n', 'tracking'], limitMs)
  const leap = chrony === null ? null : /^Leap status\s*:\s*(.+)$/m.exec(chrony)?.[1]
  if (leap !== undefined && leap !== null) return leap.trim() !== 'Not synchronised'
  return systemd?.trim() === 'no' ? false : null
}

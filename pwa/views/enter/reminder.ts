/** What somebody who is in should be reminded of, one thing at a time, quietly; and when it was put off. Pure. */
export type Reminder =
  /** The recovery key was never typed back, or long ago. */
  'recovery-never' | 'recovery-check' | 'second-passkey'

export interface ReminderFacts {
  readonly now: number
  readonly inMemory: boolean
  /** 0: never. */
  readonly recoveryCheckedTs: number
  readonly hasRecoveryKey: boolean
  /** Null: the server could not be asked. */
  readonly passkeys: readonly { readonly synced: boolean }[] | null
  /** When each was put off last. */
  readonly putOff: Readonly<Partial<Record<Reminder, number>>>
}

const dayMs = 86_400_000
const checkEveryMs = 30 * dayMs
/** What was put off comes back after so long. */
const pauses: Readonly<Record<Reminder, number>> = {
  'recovery-never': dayMs,
  'recovery-check': 7 * dayMs,
  'second-passkey': 90 * dayMs,
}

export function reminderFor(facts: ReminderFacts): Reminder | null {
  const { now, inMemory, putOff } = facts
  // Nobody is reminded at somebody else's machine.
  if (inMemory) return null
  const isDue = (reminder: Reminder) => now - (putOff[reminder] ?? 0) >= pauses[reminder]
  const recovery = recoveryReminder(facts)
  if (recovery && isDue(recovery)) return recovery
  const [only, ...others] = facts.passkeys ?? []
  const isOnly = only !== undefined && others.length === 0 && !only.synced
  return isOnly && isDue('second-passkey') ? 'second-passkey' : null
}

function recoveryReminder({ now, hasRecoveryKey, recoveryCheckedTs }: ReminderFacts): Reminder | null {
  if (!hasRecoveryKey) return null
  if (recoveryCheckedTs === 0) return 'recovery-never'
  return now - recoveryCheckedTs >= checkEveryMs ? 'recovery-check' : null
}

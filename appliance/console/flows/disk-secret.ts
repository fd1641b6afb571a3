/** The recovery key or passphrase of the disk: who has it owns what lies on it. */
import { ask, refusal, type Steps, tryCall } from '../flow.ts'
import { type Block, choice, field, gap, text, wayOut } from '../page.ts'

/** The secret, once the disk has taken it; null: given up. */
export function* askDiskSecret(title: string, why: string): Steps<string | null> {
  let said: readonly Block[] = []
  for (;;) {
    const { chosen, values } = yield* ask(
      {
        title,
        blocks: [
          text(why),
          gap,
          field('secret', 'key', {
            isSecret: true,
            hint: 'The recovery key from paper, or the passphrase. Dashes and capitals of a key do not matter.',
          }),
          ...said,
          choice('go', 'Go on'),
          wayOut(),
        ],
      },
      { check: ({ secret = '' }) => (secret === '' ? { secret: 'It is empty.' } : {}) },
    )
    if (chosen === 'back') return null
    const secret = values['secret']!
    const result = yield* tryCall('checkDiskSecret', { secret }, 'Trying the key', true)
    if (result.ok) return secret
    said = refusal(result)
  }
}

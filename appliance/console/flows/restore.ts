/** A backup from a stick onto an empty machine. */
import { ask, refusal, type Steps, tell, tryCall } from '../flow.ts'
import { ledger } from '../ledger.ts'
import { type Block, choice, fact, field, gap, text, wayOut } from '../page.ts'
import { chooseBackup } from './backup.ts'

/** false: given up. */
export function* restoreFromStick(title: string): Steps<boolean> {
  const name = yield* chooseBackup(`${title}: which one?`)
  if (name === null) return false
  let said: readonly Block[] = []
  for (;;) {
    const { chosen, values } = yield* ask(
      {
        title: 'The private backup key',
        blocks: [
          fact('backup', name),
          text('It begins with AGE-SECRET-KEY-1.'),
          gap,
          field('key', 'key', { isSecret: true }),
          ...said,
          choice('go', 'Restore'),
          wayOut(),
        ],
      },
      {
        stays: true,
        check: ({ key = '' }) =>
          /^AGE-SECRET-KEY-1[0-9A-Z]+$/i.test(key.trim())
            ? {}
            : { key: 'A private backup key begins with AGE-SECRET-KEY-1.' },
      },
    )
    if (chosen === 'back') return false
    const key = values['key']!.trim().toUpperCase()
    const result = yield* tryCall('restoreBackup', { name, key }, 'Restoring the backup')
    if (result.ok) {
      yield* tell('The backup is restored.', ledger(result.value))
      return true
    }
    said = refusal(result)
  }
}

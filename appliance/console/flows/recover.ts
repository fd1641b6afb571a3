/** An administrator who lost every passkey: a single-use link, for whoever holds the recovery key of the disk. */
import { ask, call, type Flow } from '../flow.ts'
import { choice, field, gap, text, wayOut } from '../page.ts'
import { askDiskSecret } from './disk-secret.ts'
import { showLink } from './enrolment.ts'

export function* recover(): Flow {
  const secret = yield* askDiskSecret(
    'Recover an administrator',
    'For an administrator who has lost every passkey. It needs the recovery key (or the passphrase) of the disk. It is written into the audit, and every administrator is told.',
  )
  if (secret === null) return 'done'
  const { values, chosen } = yield* ask(
    ({ facts }) => ({
      title: 'Which administrator?',
      blocks: [
        text('Using the link ends their passkeys, sessions and devices.'),
        gap,
        field('user', 'user', {
          hint: `Such as amal or @amal:${facts.site?.serverName ?? 'clinic.example'}. Empty: the only one there is.`,
        }),
        choice('make', 'Make the link'),
        wayOut(),
      ],
    }),
    {
      check: ({ user = '' }) =>
        /^[^\s\p{Cc}]{0,255}$/u.test(user.trim()) ? {} : { user: 'This is no user id.' },
    },
  )
  if (chosen === 'back') return 'done'
  const userId = (values['user'] ?? '').trim()
  const link = yield* call(
    'recoverAdministrator',
    { userId: userId === '' ? null : userId },
    'Making the link',
  )
  yield* showLink('The link of the administrator', link)
  return 'home'
}

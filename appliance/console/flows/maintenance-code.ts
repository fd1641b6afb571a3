/** The way in for an administrator who is elsewhere, when nobody can sign in: a code in place of the token on the disk. */
import { call, type Steps, tell } from '../flow.ts'
import type { Facts } from '../machine.ts'
import { choice, code, fact, gap, text } from '../page.ts'

export const codeChoice = choice('code', 'A code for whoever repairs or restores from elsewhere')

export function* showMaintenanceCode({ site }: Pick<Facts, 'site'>): Steps<void> {
  const { code: shown, expiresTs } = yield* call('maintenanceCode', null, 'Asking the server')
  const until = new Date(expiresTs).toISOString().slice(0, 16).replace('T', ' ')
  yield* tell(
    'A code for whoever repairs or restores from elsewhere',
    [
      text('On another machine with the command letro, and the backup and its key:'),
      gap,
      code(['letro backup restore FILE --key FILE \\', `  --server ${site?.origin ?? 'URL'}`], 'type'),
      gap,
      code([shown], 'code'),
      fact('works', `until ${until} UTC`),
      gap,
      text(
        'It is asked for there. Whoever has it can take this server out of service, and put another backup in the place of its data: read it to nobody whose voice you do not know.',
        'warn',
      ),
    ],
    'Done: take it from the screen',
  )
}

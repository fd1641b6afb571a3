/** Everything on this machine is destroyed; it starts as a new one. */
import { ask, call, type Flow } from '../flow.ts'
import { text } from '../page.ts'
import { confirmTyped } from './typed-confirmation.ts'

export function* factoryReset({
  facts,
}: {
  readonly facts: { readonly site: { readonly serverName: string } | null }
}): Flow {
  const word = facts.site?.serverName ?? 'DESTROY'
  const isSure = yield* confirmTyped({
    title: 'Factory reset: destroy all data of this machine',
    why: [
      text(
        "The keys of the disk are wiped. Messages, accounts, the site's keys and settings are gone, and no recovery key brings them back: only a backup does, with its own key.",
        'bad',
      ),
      text('The system itself stays. The machine restarts as a new one.'),
    ],
    word,
    goOn: 'Destroy all data now',
  })
  if (!isSure) return 'done'
  yield* call('factoryReset', null, 'Destroying the data')
  yield* ask(
    {
      title: 'The data is destroyed. The machine restarts.',
      isFinal: true,
      blocks: [text('One moment.', 'soft')],
    },
    { stays: true },
  )
  return 'home'
}

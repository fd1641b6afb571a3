/** Restart and power off, confirmed. */
import { ask, call, type Flow } from '../flow.ts'
import { choice, gap, text, wayOut } from '../page.ts'

export function* power(): Flow {
  const { chosen } = yield* ask({
    title: 'Restart or power off',
    blocks: [
      text(
        'People cannot write meanwhile; their devices keep what they send until the server is back. Nothing that was acknowledged is lost.',
      ),
      gap,
      choice('restart', 'Restart'),
      choice('off', 'Power off'),
      wayOut(),
    ],
  })
  if (chosen === 'back') return 'done'
  const words = chosen === 'restart' ? 'Restart' : 'Power off'
  const { chosen: sure } = yield* ask({
    title: `${words} now?`,
    blocks: [wayOut('No, back'), choice('yes', `Yes: ${words.toLowerCase()} now`)],
  })
  if (sure !== 'yes') return 'done'
  if (chosen === 'restart') yield* call('restart', null, 'Restarting')
  else yield* call('powerOff', null, 'Powering off')
  yield* ask(
    { title: 'The machine is going down.', isFinal: true, blocks: [text('One moment.', 'soft')] },
    { stays: true },
  )
  return 'home'
}

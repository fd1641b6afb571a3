/** Another network: in force at once, and taken back after two minutes unless somebody here keeps it. */
import { ask, call, type Flow, look, tell } from '../flow.ts'
import { choice, fact, gap, text, wayOut } from '../page.ts'
import { networkFacts } from './home.ts'
import { askNetwork, networkWords } from './network-form.ts'

export function* network(): Flow {
  const before = yield* look('networkSettings', null, 'Reading the network')
  const { chosen } = yield* ask(({ facts }) => ({
    title: 'Network',
    blocks: [
      ...networkFacts(facts),
      fact('settings', networkWords(before)),
      gap,
      text(
        'What you change is tried first. Unless you keep it in time, the old settings come back by themselves: nobody locks himself out.',
        'soft',
      ),
      gap,
      choice('change', 'Change it'),
      wayOut(),
    ],
  }))
  if (chosen !== 'change') return 'done'
  const wanted = yield* askNetwork('Network', before)
  const { untilTs } = yield* call('tryNetwork', wanted, 'Trying the new network')
  const { chosen: kept } = yield* ask(
    ({ facts, now }) => ({
      title: 'Does it work?',
      isFinal: true,
      blocks: [
        fact('settings', networkWords(wanted)),
        ...networkFacts(facts),
        gap,
        text(
          `Without an answer the old settings come back in ${Math.max(0, Math.ceil((untilTs - now) / 1000))} seconds.`,
          'warn',
        ),
        gap,
        choice('back', 'No: back to the old settings'),
        choice('keep', 'Yes: keep the new ones'),
      ],
    }),
    { untilTs, stays: true },
  )
  if (kept === 'keep') {
    yield* call('keepNetwork', null, 'Keeping the network')
    yield* tell('The new network is kept.', [fact('settings', networkWords(wanted))])
    return 'done'
  }
  yield* call('takeBackNetwork', null, 'Taking the old network back')
  yield* tell('The old network is back.', [
    text(kept === 'timeout' ? 'Nobody kept the new one in time.' : 'Nothing was changed.'),
    fact('settings', networkWords(before)),
  ])
  return 'done'
}

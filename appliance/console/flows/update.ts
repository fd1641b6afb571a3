/** An update from a stick, or one that an administrator uploaded: looked at, written to the other slot, then a restart. */
import { parseWindow } from '../../update/window.ts'
import { ask, call, type Flow, look, refusal, tell, tryCall } from '../flow.ts'
import { choice, fact, field, gap, text, wayOut } from '../page.ts'
import { slotWords } from './home.ts'

export function* update(): Flow {
  for (;;) {
    const { found, window, wentBack } = yield* look('findUpdates', null, 'Looking for updates')
    const { chosen } = yield* ask(({ facts }) => ({
      title: found.length === 0 ? 'No update was found.' : 'Updates that were found',
      blocks: [
        fact('running', `${facts.release.version}${facts.slots ? slotWords(facts.slots) : ''}`),
        ...(facts.waitingUpdate === null
          ? []
          : [
              fact(
                'waiting',
                `${facts.waitingUpdate} is written and starts at the next restart`,
                'seal' as const,
              ),
            ]),
        fact('restarts', window === null ? 'only when somebody asks for it' : `by itself, ${window} UTC`),
        ...(wentBack === null
          ? []
          : [
              fact(
                'went back',
                `${wentBack} did not run well: the machine came back from it`,
                'warn' as const,
              ),
            ]),
        gap,
        ...(found.length === 0
          ? [
              text(
                'Plug in a stick with a file letro-VERSION-amd64.update, or upload one in the administration view. Letro fetches none by itself.',
                'soft',
              ),
              gap,
            ]
          : []),
        ...found.map(({ name, from }, i) =>
          choice(`file ${i}`, name, from === 'stick' ? 'on a stick' : 'uploaded by an administrator'),
        ),
        ...(facts.waitingUpdate === null ? [] : [choice('restart', `Restart into ${facts.waitingUpdate}`)]),
        choice('again', 'Look again'),
        wayOut(),
      ],
    }))
    if (chosen === 'back') return 'done'
    if (chosen === 'restart') return { open: 'restart-for-update', returns: true }
    if (chosen === 'again') continue
    const { file, name } = found[Number(chosen.slice('file '.length))]!
    const checked = yield* tryCall('checkUpdate', { file }, 'Checking the update', true)
    if (!checked.ok) {
      yield* ask({
        title: 'This update is not used. Nothing was changed.',
        blocks: [fact('file', name), ...refusal(checked), gap, choice('other', 'Look at the others')],
      })
      continue
    }
    const { version, sizeBytes } = checked.value
    const { chosen: sure } = yield* ask({
      title: `Update to ${version}?`,
      blocks: [
        fact('file', name),
        fact('signature', 'good, by a key that this machine trusts', 'good'),
        fact('size', `${Math.ceil(sizeBytes / 1e6)} MB`),
        gap,
        text(
          'It is written to the other slot while people keep writing. It runs after a restart; if it does not run well, the machine goes back to this release by itself.',
          'soft',
        ),
        gap,
        choice('apply', 'Write it to the other slot'),
        wayOut(),
      ],
    })
    if (sure !== 'apply') continue
    yield* call('applyUpdate', { file }, `Writing ${version}`)
    return { open: 'restart-for-update', returns: false }
  }
}

export function* restartForUpdate(): Flow {
  const { window } = yield* look('findUpdates', null, 'Looking at the updates')
  const { chosen } = yield* ask({
    title: 'The update is written. It runs after a restart.',
    isFinal: true,
    blocks: [
      text('The restart takes a minute or two; devices keep what people write meanwhile.', 'soft'),
      gap,
      choice('later', window === null ? 'Later: at the next restart' : `By itself, ${window} UTC`),
      choice('now', 'Restart now'),
      choice('window', 'Say in which hours it may restart by itself'),
    ],
  })
  if (chosen === 'later') return 'done'
  if (chosen === 'window') return yield* updateWindow(window)
  yield* call('restartForUpdate', null, 'Restarting')
  yield* ask(
    { title: 'The machine is going down.', isFinal: true, blocks: [text('One moment.', 'soft')] },
    { stays: true },
  )
  return 'home'
}

function* updateWindow(before: string | null): Flow {
  const { values, chosen } = yield* ask(
    {
      title: 'Hours in which it may restart by itself',
      blocks: [
        text('For updates alone, and once for each. By the clock of the machine, in UTC.'),
        gap,
        field('window', 'hours', {
          value: before ?? '02:00-04:00',
          hint: 'Such as 02:00-04:00. Empty: never by itself.',
        }),
        choice('set', 'Set them'),
        wayOut(),
      ],
    },
    {
      check: ({ window = '' }) =>
        window.trim() === '' || parseWindow(window.trim())
          ? {}
          : { window: 'Two times are needed, such as 02:00-04:00.' },
    },
  )
  if (chosen === 'back') return 'done'
  const window = (values['window'] ?? '').trim()
  yield* call('setUpdateWindow', { window: window === '' ? null : window }, 'Setting the hours')
  yield* tell('The hours are set.', [
    fact('restarts', window === '' ? 'only when somebody asks for it' : `by itself, ${window} UTC`),
  ])
  return 'done'
}

/** An update from a stick, or one that an administrator uploaded: looked at, written to the other slot, then a restart. */
import { ask, call, type Flow, look, refusal, tryCall } from '../flow.ts'
import { choice, fact, gap, text, wayOut } from '../page.ts'
import { slotWords } from './home.ts'

export function* update(): Flow {
  for (;;) {
    const found = yield* look('findUpdates', null, 'Looking for updates')
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
    const { version, signedBy, sizeBytes } = checked.value
    const { chosen: sure } = yield* ask({
      title: `Update to ${version}?`,
      blocks: [
        fact('file', name),
        fact('signature', `good, by the key ${signedBy}`, 'good'),
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
  const { chosen } = yield* ask({
    title: 'The update is written. It runs after a restart.',
    isFinal: true,
    blocks: [
      text('The restart takes a minute or two; devices keep what people write meanwhile.', 'soft'),
      gap,
      choice('window', 'In the window that the administrators set'),
      choice('now', 'Restart now'),
      choice('later', 'Later: at the next restart'),
    ],
  })
  if (chosen === 'later') return 'done'
  const sentence = yield* call(
    'restartForUpdate',
    { when: chosen === 'now' ? 'now' : 'window' },
    'Restarting',
  )
  yield* ask({
    title: chosen === 'now' ? 'The machine is going down.' : 'The restart is planned.',
    blocks: [text(sentence), gap, choice('ok', 'Go on')],
  })
  return 'home'
}

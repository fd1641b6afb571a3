/** The console's PIN: asked, set, changed, and reset by whoever holds the recovery key of the disk. */
import { ask, call, type Flow, refusal, type Steps, tell, tryCall } from '../flow.ts'
import type { Values } from '../input.ts'
import { type Block, choice, field, gap, text, wayOut } from '../page.ts'
import { askDiskSecret } from './disk-secret.ts'

/** false: given up, or taken elsewhere. */
export function* askPin(): Steps<boolean> {
  let said: readonly Block[] = []
  for (;;) {
    const { chosen, values } = yield* ask({
      title: 'PIN',
      blocks: [
        text('Type the PIN of this console.'),
        gap,
        field('pin', 'PIN', { isSecret: true }),
        ...said,
        choice('enter', 'Unlock'),
        {
          ...choice('forgotten', 'The PIN is forgotten', 'It is reset with the recovery key of the disk.'),
          isWayOut: true,
        },
      ],
    })
    if (chosen === 'forgotten') {
      if (yield* resetPin()) return true
      continue
    }
    const result = yield* tryCall('checkPin', { pin: values['pin'] ?? '' }, 'Checking the PIN', true)
    if (result.ok) return true
    said = refusal(result)
  }
}

function* resetPin(): Steps<boolean> {
  const secret = yield* askDiskSecret(
    'Reset the PIN',
    'Whoever holds the recovery key (or the passphrase) of the disk may set another PIN.',
  )
  if (secret === null) return false
  yield* choosePin('New PIN')
  return true
}

export function* pin({ facts }: { readonly facts: { readonly hasPin: boolean } }): Flow {
  const { chosen } = yield* ask({
    title: 'PIN of this console',
    blocks: [
      text(
        facts.hasPin
          ? 'This console asks for a PIN before anything but the home page.'
          : 'Whoever stands here can restart, reset and reconfigure this machine. With a PIN, only who knows it.',
      ),
      gap,
      choice('set', facts.hasPin ? 'Change the PIN' : 'Set a PIN'),
      ...(facts.hasPin ? [choice('remove', 'Ask for no PIN any more')] : []),
      wayOut(),
    ],
  })
  if (chosen === 'back') return 'done'
  if (chosen === 'remove') {
    const { chosen: sure } = yield* ask({
      title: 'No PIN',
      blocks: [
        text('Then everybody who reaches this keyboard or the serial line can do all that is here.', 'warn'),
        gap,
        wayOut('Keep the PIN'),
        choice('remove', 'Remove it'),
      ],
    })
    if (sure !== 'remove') return 'done'
    yield* call('setPin', { pin: null }, 'Removing the PIN')
    yield* tell('The PIN is removed.', [text('This console asks for none from now on.')])
    return 'done'
  }
  yield* choosePin(facts.hasPin ? 'Change the PIN' : 'Set a PIN')
  return 'done'
}

function* choosePin(title: string): Steps<void> {
  const { values } = yield* ask(
    {
      title,
      blocks: [
        text(
          'Six digits or more. Nobody can read it back; if it is lost, the recovery key of the disk sets another one.',
        ),
        gap,
        field('pin', 'new PIN', { isSecret: true }),
        field('again', 'once more', { isSecret: true }),
        choice('set', 'Set it'),
      ],
    },
    { check: pinProblems },
  )
  yield* call('setPin', { pin: values['pin']! }, 'Setting the PIN')
  yield* tell('The PIN is set.', [text('It is asked from now on, and after five minutes without a key.')])
}

function pinProblems({ pin: wanted = '', again = '' }: Values): Values {
  if (!/^[0-9]{6,64}$/.test(wanted)) return { pin: 'Digits only, and at least six of them.' }
  if (/^(.)\1*$/.test(wanted)) return { pin: 'One digit again and again is tried first by everybody.' }
  return wanted === again ? {} : { again: 'This is not the same as above.' }
}

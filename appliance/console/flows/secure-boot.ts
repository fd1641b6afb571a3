/** Secure Boot: the firmware starts nothing but what we signed. On real hardware it is a typed choice. */
import { ask, call, type Flow, tell } from '../flow.ts'
import { choice, fact, gap, text, wayOut } from '../page.ts'
import { confirmTyped } from './typed-confirmation.ts'

const states = {
  on: 'on: the firmware starts signed systems alone',
  off: 'off: the firmware starts anything',
  setup: 'in setup mode: our keys can be enrolled',
  unknown: 'not known: this machine did not start by UEFI',
} as const

export function* secureBoot(): Flow {
  const { chosen } = yield* ask(({ facts }) => ({
    title: 'Secure Boot',
    blocks: [
      fact('state', states[facts.secureBoot], facts.secureBoot === 'on' ? 'good' : 'warn'),
      gap,
      ...(facts.secureBoot === 'setup'
        ? [
            text(
              'Do this before the disk is made. Some network cards and disk controllers carry firmware that is signed by Microsoft: without its keys such a machine may not start any more.',
              'warn',
            ),
            gap,
            choice(
              'both',
              "Enrol our keys and Microsoft's",
              'On hardware whose cards you do not know. The safe choice.',
            ),
            choice(
              'ours',
              'Enrol our keys alone',
              'On virtual machines, and where you know that nothing else is needed.',
            ),
          ]
        : [
            text(
              facts.secureBoot === 'on'
                ? 'There is nothing to do.'
                : 'To change it, put the firmware into setup mode (in its own menu: clear or reset the Secure Boot keys), start again, and come back here.',
            ),
            gap,
          ]),
      wayOut(),
    ],
  }))
  if (chosen !== 'both' && chosen !== 'ours') return 'done'
  const isSure = yield* confirmTyped({
    title: 'Enrol Secure Boot keys',
    why: [
      text(
        chosen === 'both'
          ? 'The firmware will start what we or Microsoft signed.'
          : 'The firmware will start what we signed, and nothing else: no other system, no other firmware of cards.',
      ),
      text('If the machine does not start afterwards, clear the keys in the menu of the firmware.', 'soft'),
    ],
    word: 'ENROL',
    goOn: 'Enrol them at the next start',
  })
  if (!isSure) return 'done'
  yield* call('enrolSecureBoot', { withMicrosoft: chosen === 'both' }, 'Enrolling the keys')
  yield* tell('The keys are enrolled at the next start.', [text('Restart now: menu, Restart or power off.')])
  return 'done'
}

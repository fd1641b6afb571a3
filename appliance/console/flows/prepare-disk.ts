/**
 * The data partition of a new machine: a passphrase first where there is no TPM, then the recovery key, shown once and
 * typed back, and only then the disk is written.
 */

import { passphraseProblem } from '../../disk/passphrase.ts'
import {
  type RecoveryKey,
  readRecoveryKey,
  recoveryKeyLines,
  recoveryKeyProblemText,
  sameRecoveryKey,
} from '../../disk/recovery-key.ts'
import { ask, call, look, type Steps } from '../flow.ts'
import type { Values } from '../input.ts'
import type { Facts } from '../machine.ts'
import { choice, code, field, gap, text, wayOut } from '../page.ts'

/** @param key to be shown, and kept by nobody but a person */
export function* prepareDisk(key: RecoveryKey): Steps<void> {
  const facts = yield* knownMachine()
  const passphrase = facts.tpm === 'present' ? null : yield* askPassphrase()
  const bindsSecureBoot = passphrase === null && facts.secureBoot === 'on' ? yield* askBinding() : false
  yield* ask(
    {
      title: 'The recovery key: write it down now',
      blocks: [
        text(
          'It opens the disk when the TPM or the passphrase no longer does, recovers an administrator, and resets the PIN. It is shown once, and kept nowhere. Write it on paper, twice, and lock it away.',
        ),
        gap,
        code(recoveryKeyLines(key), 'recovery key'),
        gap,
        choice('written', 'I have written it down'),
      ],
    },
    { stays: true },
  )
  const { values } = yield* ask(
    {
      title: 'Type the recovery key from your paper',
      blocks: [
        text(
          'The disk is made when it is right. Dashes and capitals do not matter. Esc shows the key again.',
        ),
        gap,
        field('key', 'recovery key', { isSecret: true }),
        choice('go', 'Make the disk'),
      ],
    },
    {
      stays: true,
      check: ({ key: typed = '' }) => keyProblem(typed, key),
    },
  )
  // Checked above: it is one.
  const typedBack = readRecoveryKey(values['key'] ?? '') as RecoveryKey
  yield* call(
    'prepareDisk',
    { recoveryKey: key, typedBack, passphrase, bindsSecureBoot },
    'Making the encrypted disk',
  )
}

function* askPassphrase(): Steps<string> {
  const { values } = yield* ask(
    {
      title: 'This machine has no TPM: a passphrase',
      blocks: [
        text(
          'Without a TPM somebody has to type a passphrase here at every start, before the server runs. Five words that nobody guesses are good.',
        ),
        gap,
        field('passphrase', 'passphrase', { isSecret: true }),
        field('again', 'once more', { isSecret: true }),
        choice('go', 'Go on'),
        wayOut('Back', 'up'),
      ],
    },
    { check: passphraseProblems, stays: true },
  )
  return values['passphrase']!
}

/** What decides how the disk opens is looked at now; a machine whose TPM is not known yet never counts as one without. */
function* knownMachine(): Steps<Facts> {
  for (;;) {
    const facts = yield* look('look', null, 'Looking at the machine')
    if (facts.tpm !== 'unknown') return facts
    yield* ask(
      {
        title: 'It is not known yet whether this machine has a TPM.',
        blocks: [
          text('It has only just started. Look again in a moment.'),
          gap,
          choice('again', 'Look again'),
        ],
      },
      { stays: true },
    )
  }
}

function keyProblem(typed: string, shown: RecoveryKey): Values {
  const read = readRecoveryKey(typed)
  if (typeof read !== 'string') return { key: recoveryKeyProblemText(read) }
  return sameRecoveryKey(read, shown)
    ? {}
    : { key: 'This is another recovery key than the one that was shown. Esc shows it again.' }
}

function passphraseProblems({ passphrase = '', again = '' }: Values): Values {
  const problem = passphraseProblem(passphrase)
  if (problem !== null) return { passphrase: problem }
  return passphrase === again ? {} : { again: 'This is not the same as above.' }
}

function* askBinding(): Steps<boolean> {
  const { chosen } = yield* ask(
    {
      title: 'What the TPM asks before it opens the disk',
      blocks: [
        text(
          'It always asks for a system that we signed. It can ask for the Secure Boot settings of today as well.',
        ),
        gap,
        choice('system', 'A signed system', 'Recommended. Firmware updates need nothing from you.'),
        choice(
          'settings',
          'A signed system, and the Secure Boot settings of today',
          'Stricter. After a firmware update that changes them, the recovery key is asked for.',
        ),
      ],
    },
    { stays: true },
  )
  return chosen === 'settings'
}

/** A stick labelled LETROCONF: what it says is shown for approval, with its fingerprint and whose signature it bears. */
import { ask, look, type Steps } from '../flow.ts'
import type { StickFound } from '../machine.ts'
import { choice, fact, gap, type Page, text, wayOut } from '../page.ts'
import type { Decided } from './first-start.ts'

/** null: given up. */
export function* readStick(): Steps<Decided | null> {
  for (;;) {
    const found = yield* look('readStick', null, 'Looking for a stick')
    const { chosen } = yield* ask(found ? foundPage(found) : noStick, { stays: true })
    if (chosen === 'back') return null
    if (chosen === 'approve' && found?.answers) return { answers: found.answers, network: null }
  }
}

const noStick: Page = {
  title: 'No provisioning stick is plugged in.',
  blocks: [
    text(
      'It is any stick, disk or ISO image with the label LETROCONF (FAT or ISO 9660) and a file letro.json in its first folder. It can be written by hand, or with: letro stick write',
    ),
    gap,
    choice('again', 'Look again'),
    wayOut(),
  ],
}

function foundPage(found: StickFound): Page {
  const signature = found.isForged
    ? fact('signature', 'FORGED or damaged: what stands on the stick is not what was signed.', 'bad')
    : found.signedBy === null
      ? fact('signature', 'none that this machine trusts: compare the fingerprint.', 'warn')
      : fact('signature', `good, by the key ${found.signedBy}`, 'good')
  const isWrong = found.problems.length > 0 || found.isForged || found.answers === null
  return {
    title: isWrong
      ? 'The stick cannot be used. Nothing was changed.'
      : 'Set up this machine as the stick says?',
    blocks: [
      signature,
      fact('fingerprint', found.fingerprint, 'seal'),
      gap,
      ...found.problems.map(({ field, sentence }) => fact(field, sentence, 'bad')),
      ...(isWrong ? [] : found.says.map(([label, words]) => fact(label, words))),
      gap,
      ...(isWrong
        ? [choice('again', 'Read it again')]
        : [choice('approve', 'Yes, as it stands here'), choice('again', 'Read it again')]),
      wayOut(),
    ],
  }
}

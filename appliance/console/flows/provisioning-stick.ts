/** A stick labelled LETROCONF: what it says is shown for approval, with its fingerprint and whose signature it bears. */
import { ask, call, type Flow, refusal, type Steps, tell, tryCall } from '../flow.ts'
import type { StickFound } from '../machine.ts'
import { choice, fact, gap, type Page, text, wayOut } from '../page.ts'

/** null: given up. A stick that somebody signed whom this machine trusts needs no approval. */
export function* readStick(): Steps<StickFound | null> {
  for (;;) {
    const read = yield* tryCall('readStick', null, 'Looking for a stick', true)
    if (read.ok && read.value?.signature.kind === 'trusted') return read.value
    const page = read.ok ? (read.value ? foundPage(read.value) : noStick) : refusedPage(refusal(read))
    const { chosen } = yield* ask(page, { stays: true })
    if (chosen === 'back') return null
    if (chosen === 'approve' && read.ok && read.value) return read.value
  }
}

/** On a machine that is set up: what a stick may still change. */
export function* stickSettings(): Flow {
  const found = yield* readStick()
  if (!found) return 'done'
  const { lines } = yield* call(
    'applyStick',
    { fingerprint: found.fingerprint },
    'Taking what the stick says',
  )
  yield* tell(
    'What the stick says is taken over.',
    lines.map(line => text(line)),
  )
  return 'done'
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

const refusedPage = (said: ReturnType<typeof refusal>): Page => ({
  title: 'The stick cannot be used. Nothing was changed.',
  tone: 'bad',
  blocks: [...said, gap, choice('again', 'Read it again'), wayOut()],
})

function foundPage({ fingerprint, signature, siteExists, says }: StickFound): Page {
  return {
    title: siteExists ? 'Take over what the stick says?' : 'Set up this machine as the stick says?',
    blocks: [
      fact(
        'signature',
        signature.kind === 'none'
          ? 'none: compare the fingerprint with whoever wrote the stick.'
          : 'by a key that this machine does not know: compare the fingerprint.',
        'warn',
      ),
      fact('fingerprint', fingerprint.slice(0, 8).join(' '), 'seal'),
      ...(fingerprint.length > 8 ? [fact('', fingerprint.slice(8).join(' '), 'seal')] : []),
      gap,
      ...says.map(([label, words]) => fact(label, words)),
      gap,
      choice('approve', 'Yes, as it stands here'),
      choice('again', 'Read it again'),
      wayOut(),
    ],
  }
}

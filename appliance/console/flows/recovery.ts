/** Data that does not open by itself, or is damaged: what is the case, and what can be done. Nothing is changed unasked. */
import { ask, type Context, type Flow, refusal, type Steps, tell, tryCall } from '../flow.ts'
import type { Facts } from '../machine.ts'
import { type Block, choice, fact, field, gap, text } from '../page.ts'
import { sealWords } from './home.ts'

export function* recovery({ facts }: Context): Flow {
  const isDamaged = facts.disk.state === 'damaged'
  const byPassphrase = facts.disk.opensBy === 'passphrase'
  const { chosen } = yield* ask(
    {
      title: isDamaged
        ? 'The data partition is damaged.'
        : byPassphrase
          ? 'The data waits for its passphrase.'
          : 'The data does not open by itself.',
      isFinal: true,
      blocks: [
        ...(facts.disk.sentence === null ? [] : [text(facts.disk.sentence, 'warn')]),
        fact('machine', sealWords(facts)),
        gap,
        text(
          isDamaged
            ? 'Nothing was changed. A restart may help after a power cut. If the disk is dying, replace it, and restore the last backup on a new one.'
            : byPassphrase
              ? 'The server starts when it is typed.'
              : 'The TPM was replaced or cleared, the firmware settings were changed, or the disk came from another machine. With the recovery key it opens, and can be sealed to this TPM again.',
          'soft',
        ),
        gap,
        ...(isDamaged
          ? []
          : [
              choice(
                'open',
                byPassphrase ? 'Type the passphrase (or the recovery key)' : 'Type the recovery key',
              ),
            ]),
        choice('network', 'Network'),
        choice('update', 'Update'),
        choice('power', 'Restart or power off'),
        choice('factory-reset', 'Factory reset'),
      ],
    },
    { stays: true },
  )
  if (chosen !== 'open') return { open: chosen, returns: true }
  const secret = yield* openDisk()
  if (!byPassphrase && facts.tpm === 'present') yield* offerSeal(secret, facts)
  return 'home'
}

function* openDisk(): Steps<string> {
  let said: readonly Block[] = []
  for (;;) {
    const { values } = yield* ask(
      {
        title: 'Open the data',
        blocks: [
          text('Dashes and capitals of a recovery key do not matter.'),
          gap,
          field('secret', 'key', { isSecret: true }),
          ...said,
          choice('open', 'Open it'),
        ],
      },
      { check: ({ secret = '' }) => (secret === '' ? { secret: 'It is empty.' } : {}) },
    )
    const secret = values['secret']!
    const result = yield* tryCall('openDisk', { secret }, 'Opening the data', true)
    if (result.ok) return secret
    said = refusal(result)
  }
}

function* offerSeal(secret: string, facts: Facts): Steps<void> {
  const { chosen } = yield* ask({
    title: 'The data is open. Seal it to this TPM?',
    isFinal: true,
    blocks: [
      text(
        'Then it opens by itself from the next start on. Do it if this is your machine, and you know why the seal was broken.',
      ),
      gap,
      choice('seal', 'Seal it to this TPM'),
      choice('later', 'Not now: ask for the recovery key again at the next start'),
    ],
  })
  if (chosen !== 'seal') return
  const result = yield* tryCall('sealDisk', { secret, bindsSecureBoot: false }, 'Sealing the disk')
  if (result.ok) yield* tell('It is sealed to this TPM.', [fact('machine', sealWords(facts))])
  else yield* tell('It was not sealed. The data is open all the same.', refusal(result))
}

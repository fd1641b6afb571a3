/** The site's certificate: what it is, a request for another one to a stick, and what was issued from a stick. */
import { ask, call, type Flow, look, refusal, type Steps, tell, tryCall } from '../flow.ts'
import { ledger } from '../ledger.ts'
import { type Block, choice, fact, field, gap, text, wayOut } from '../page.ts'

export function* certificate(): Flow {
  const lines = yield* look('certificateText', null, 'Reading the certificate')
  const { chosen } = yield* ask({
    title: 'Certificate',
    blocks: [
      ...ledger(lines),
      gap,
      choice('request', 'Write a request (CSR) to a stick'),
      choice('import', 'Take a certificate from a stick'),
      wayOut(),
    ],
  })
  if (chosen === 'request') yield* request()
  if (chosen === 'import') yield* bring()
  return 'done'
}

function* request(): Steps<void> {
  const { chosen, values } = yield* ask(
    {
      title: 'A request for your authority',
      blocks: [
        text(
          'The key stays on this machine; nothing in the request is secret. Plug in a stick (FAT or exFAT).',
        ),
        gap,
        field('organisation', 'organisation', {
          hint: 'Where your authority wants it (O). Empty: not said.',
        }),
        field('country', 'country', {
          hint: 'Two letters, such as DE, where your authority wants it (C). Empty: not said.',
        }),
        choice('go', 'Write it'),
        wayOut(),
      ],
    },
    {
      check: ({ country = '' }) =>
        /^(?:[A-Za-z]{2})?$/.test(country.trim()) ? {} : { country: 'Two letters are needed, such as DE.' },
    },
  )
  if (chosen === 'back') return
  const file = yield* call(
    'requestToStick',
    {
      organisation: (values['organisation'] ?? '').trim(),
      country: (values['country'] ?? '').trim().toUpperCase(),
    },
    'Writing the request',
  )
  yield* tell('The request is on the stick.', [
    fact('file', file),
    text(
      'Your authority must issue a certificate for web servers with all names of the request. Bring what comes back, with its chain, on a stick.',
    ),
  ])
}

function* bring(): Steps<void> {
  const names = yield* look('stickCertificates', null, 'Looking for certificates')
  if (names.length === 0) {
    yield* tell(
      'No stick with a certificate is plugged in.',
      [text('Its files end in .pem, .crt, .cer, .p12 or .pfx, and lie in its first folder.')],
      'Back',
    )
    return
  }
  const { chosen } = yield* ask({
    title: 'Which one?',
    blocks: [...names.slice(0, 20).map((name, i) => choice(`file ${i}`, name)), wayOut()],
  })
  if (chosen === 'back') return
  const name = names[Number(chosen.slice('file '.length))]!
  let said: readonly Block[] = []
  for (;;) {
    const { chosen: sure, values } = yield* ask({
      title: 'Take this certificate?',
      blocks: [
        fact('file', name),
        gap,
        field('passphrase', 'passphrase', {
          isSecret: true,
          hint: 'Of a .p12 or .pfx file, or of an encrypted key. Empty: none.',
        }),
        ...said,
        choice('take', 'Take it'),
        wayOut(),
      ],
    })
    if (sure === 'back') return
    const passphrase = values['passphrase'] === '' ? null : values['passphrase']!
    const result = yield* tryCall('importCertificate', { name, passphrase }, 'Looking at the certificate')
    if (result.ok) return yield* tell('The certificate is taken.', ledger(result.value))
    said = refusal(result)
  }
}

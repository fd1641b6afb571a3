/** The letro.toml of a new site: what was answered, each key with a line that says what it is. The server reads it (server/config.ts). */
import { formatHostPort } from '../server/config-values.ts'
import type { SiteAnswers } from './site-answers.ts'

export function siteToml(answers: SiteAnswers, data: string): string {
  const { serverName, origin, administrator, certificate, listen, federation } = answers
  const sections: (readonly [string, readonly (readonly [string, string, string])[]])[] = [
    [
      'server',
      [
        ['The part behind the colon in every user id. It can never change.', 'name', serverName],
        [
          'The address that people open. Its host can never change: passkeys are bound to it.',
          'origin',
          origin,
        ],
        ['Where everything is kept.', 'data', data],
      ],
    ],
    [
      'listen',
      [
        ['Where people are answered.', 'client', formatHostPort(listen.client)],
        ...(listen.federation
          ? ([
              [
                'Where other servers are answered; only those that you pin get anything.',
                'federation',
                formatHostPort(listen.federation),
              ],
            ] as const)
          : []),
        ...(listen.trustPage
          ? ([
              [
                'Where devices learn to trust the private authority; nothing else is answered there.',
                'trust_page',
                formatHostPort(listen.trustPage),
              ],
            ] as const)
          : []),
      ],
    ],
    [
      'federation',
      [
        ...(federation.address
          ? ([['Where other servers dial this one.', 'address', formatHostPort(federation.address)]] as const)
          : []),
        ...(federation.residency === null
          ? []
          : ([['Where this server keeps what it is sent.', 'residency', federation.residency]] as const)),
      ],
    ],
    ['tls', tlsLines(certificate)],
    [
      'accounts',
      [
        [
          'Who gets the link that is printed while nobody administers this server.',
          'first_administrator',
          administrator,
        ],
      ],
    ],
  ]
  const text = sections
    .filter(([, lines]) => lines.length > 0)
    .map(
      ([name, lines]) =>
        `[${name}]\n${lines.map(([doc, key, value]) => `# ${doc}\n${key} = ${tomlString(value)}\n`).join('')}`,
    )
    .join('\n')
  return `# Letro's configuration, written by: letro init\n# Every other key, with its default: npm start -- --example-config\n\n${text}`
}

function tlsLines(certificate: SiteAnswers['certificate']): (readonly [string, string, string])[] {
  switch (certificate.from) {
    case 'own':
      return [
        [
          'A private authority, which vouches for this server alone. Its certificate renews itself.',
          'authority',
          'own',
        ],
      ]
    case 'organisation':
      return [
        [
          'Your organisation’s authority: letro certificate request, letro certificate import.',
          'authority',
          'organisation',
        ],
      ]
    case 'files':
      return [
        [
          'The certificate and its chain; read again when the file changes.',
          'certificate',
          certificate.certificate,
        ],
        ['Its private key.', 'key', certificate.key],
      ]
    case 'proxy':
      return []
    default:
      return certificate satisfies never
  }
}

/** A basic string. Spec: toml.io/en/v1.0.0#string: JSON escapes all that TOML wants escaped, save U+007F. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F')
}

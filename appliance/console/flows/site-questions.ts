/** What a new site must know, asked at the console. What can never change is typed twice. */
import { isResidency } from '#protocol/card.ts'
import { isNewLocalpart, parseServerName } from '#protocol/ids.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { defaultNetwork, networkJson } from '#protocol/network-settings.ts'
import { ask, type Steps } from '../flow.ts'
import type { Values } from '../input.ts'
import { choice, fact, field, gap, text, wayOut } from '../page.ts'
import { askNetwork, networkWords } from './network-form.ts'
import { isTimeServers, timeServersIn } from './time.ts'

/** null: given up. */
export function* askForSite(): Steps<JsonObject | null> {
  const serverName = yield* askServerName()
  const origin = yield* askOrigin(serverName)
  const { values: person } = yield* ask(
    {
      title: 'First administrator',
      blocks: [
        text(
          'They get a link at the end, create a passkey with it, and make others administrators in the app.',
        ),
        gap,
        field('administrator', 'user name', {
          value: 'admin',
          hint: `@...:${serverName}: letters a-z, digits and . _ = - /`,
        }),
        choice('go', 'Go on'),
        wayOut('Back', 'up'),
      ],
    },
    { check: administratorProblems, stays: true },
  )
  const administrator = person['administrator']!.trim().replace(/^@/, '').toLowerCase()
  const { chosen: certificate } = yield* ask(
    {
      title: 'Certificate',
      blocks: [
        text('Browsers and phones open nothing that their device does not trust.'),
        gap,
        choice(
          'own',
          'A private authority, made now',
          'It vouches for this server alone and renews itself. Every device has to learn to trust it once; a page at port 80 helps.',
        ),
        choice(
          'organisation',
          "My organisation's own authority",
          'Its devices trust it already. A request is written to a stick, and the certificate is brought back.',
        ),
      ],
    },
    { stays: true },
  )
  const { values: others } = yield* ask(
    {
      title: 'Other servers',
      blocks: [
        text('Letro talks to servers of other organisations that you pin one by one, and to no others.'),
        gap,
        field('federates', 'other servers', {
          options: [
            ['yes', 'answer pinned servers, at port 8448'],
            ['no', 'talk to no other server'],
          ],
        }),
        field('residency', 'jurisdiction', {
          hint: 'Where this server keeps what it is sent, such as DE or CH-ZH. Empty: not said.',
        }),
        field('timeServers', 'time servers', {
          hint: "Names of your organisation's NTP servers, with spaces between. Empty: the clock is set by hand.",
        }),
        choice('go', 'Go on'),
        wayOut('Back', 'up'),
      ],
    },
    { check: otherProblems, stays: true },
  )
  const network = yield* askNetwork('Network', defaultNetwork)
  const answers: JsonObject = {
    letro: 1,
    server_name: serverName,
    origin,
    administrator,
    certificate: { from: certificate },
    ...(others['federates'] === 'yes' ? { listen: { federation: '[::]:8448' } } : {}),
    ...(others['residency'] ? { federation: { residency: others['residency'].trim().toUpperCase() } } : {}),
    time: { servers: timeServersIn(others['timeServers']) },
    ...(network === defaultNetwork ? {} : { network: networkJson(network) }),
  }
  const { chosen } = yield* ask(
    {
      title: 'Is all of this right?',
      blocks: [
        ...answerFacts(answers).map(([label, words]) => fact(label, words)),
        fact('network', networkWords(network)),
        gap,
        text(
          'Server name and the host of the address can NEVER be changed once people use the server.',
          'warn',
        ),
        gap,
        choice('yes', 'Yes, set it up'),
        wayOut('No, not yet'),
      ],
    },
    { stays: true },
  )
  return chosen === 'yes' ? answers : null
}

function* askServerName(): Steps<string> {
  const { values } = yield* ask(
    {
      title: 'Server name',
      blocks: [
        text(
          'It stands behind the colon in every user id: @amal:clinic.example. Choose the domain of your organisation. It can NEVER be changed.',
        ),
        gap,
        field('name', 'server name', { hint: 'A DNS name such as clinic.example.' }),
        field('again', 'once more', { hint: 'Type it again, letter by letter.' }),
        choice('go', 'Go on'),
        wayOut('Back', 'up'),
      ],
    },
    {
      stays: true,
      check: ({ name = '', again = '' }) => {
        if (!isDomain(name))
          return {
            name: 'A DNS name such as clinic.example is needed (no IP address: it would stand in every user id for ever).',
          }
        return lower(again) === lower(name) ? {} : { again: 'This is not the same as above.' }
      },
    },
  )
  return lower(values['name'])
}

function* askOrigin(serverName: string): Steps<string> {
  const host = serverName.replace(/:[0-9]+$/, '')
  const { values } = yield* ask(
    {
      title: 'Address that people open',
      blocks: [
        text(
          'The https address of the app. Passkeys are bound to its host, so the host can NEVER be changed once somebody has signed in. Your DNS must lead it to this machine.',
        ),
        gap,
        field('origin', 'address', {
          value: `https://${host}`,
          hint: 'An https address with a DNS name and nothing behind it.',
        }),
        field('again', 'its host', { hint: 'Type it again, letter by letter: what stands behind https://' }),
        choice('go', 'Go on'),
        wayOut('Back', 'up'),
      ],
    },
    {
      stays: true,
      check: ({ origin = '', again = '' }) => {
        const url = originOf(origin)
        if (!url)
          return {
            origin:
              'An https address with a DNS name and nothing behind it is needed, such as https://chat.clinic.example.',
          }
        return lower(again) === url.hostname ? {} : { again: `This is not ${url.hostname}.` }
      },
    },
  )
  return originOf(values['origin'] ?? '')!.origin
}

const lower = (typed: string | undefined): string => (typed ?? '').trim().toLowerCase()

function isDomain(typed: string): boolean {
  const name = parseServerName(lower(typed))
  return (
    name !== null &&
    /^(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z][a-z0-9-]{0,62}(?<!-)(?::[0-9]+)?$/.test(name)
  )
}

function originOf(typed: string): URL | null {
  const words = typed.trim()
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(words) ? words : `https://${words}`)
    const isPlain =
      url.protocol === 'https:' &&
      url.pathname === '/' &&
      url.search === '' &&
      url.hash === '' &&
      url.username === '' &&
      url.password === ''
    return isPlain && isDomain(url.hostname) ? url : null
  } catch {
    return null
  }
}

function administratorProblems({ administrator = '' }: Values): Values {
  const name = lower(administrator).replace(/^@/, '')
  return name !== '' && isNewLocalpart(name)
    ? {}
    : {
        administrator:
          'The part of a user id before the colon is needed: letters a-z, digits and . _ = - /, such as amal.',
      }
}

function otherProblems({ residency = '', timeServers = '' }: Values): Values {
  return {
    ...(residency.trim() === '' || isResidency(residency.trim().toUpperCase())
      ? {}
      : { residency: 'A jurisdiction in capitals is needed, such as DE or CH-ZH.' }),
    ...(isTimeServers(timeServers)
      ? {}
      : { timeServers: 'At most eight names or addresses of time servers, with spaces between.' }),
  }
}

/** Answers (letro.json) in words. */
export function answerFacts(answers: JsonObject): [string, string][] {
  const part = (name: string): JsonObject => {
    const value = answers[name]
    return isObject(value) ? value : {}
  }
  const certificate = part('certificate')['from']
  const servers = part('time')['servers']
  return [
    ['server name', String(answers['server_name'])],
    ['people open', String(answers['origin'])],
    ['administrator', `@${answers['administrator']}:${answers['server_name']}`],
    [
      'certificate',
      certificate === 'own'
        ? 'a private authority, made now'
        : certificate === 'organisation'
          ? "of the organisation's authority"
          : String(certificate),
    ],
    [
      'other servers',
      part('listen')['federation'] === undefined ? 'none' : `pinned ones, at ${part('listen')['federation']}`,
    ],
    ['jurisdiction', String(part('federation')['residency'] ?? 'not said')],
    [
      'time servers',
      Array.isArray(servers) && servers.length > 0 ? servers.join(', ') : 'none: the clock is set by hand',
    ],
  ]
}

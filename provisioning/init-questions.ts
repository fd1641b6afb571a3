/** What `letro init` asks, in its order, and why. What cannot be changed later is typed out again at the end. */

import { CommandFailed } from './command-failed.ts'
import { readCardFile, wordsOf } from './peer-card.ts'
import { cardText, wordsText } from './peer-text.ts'
import type { Questions } from './questions.ts'
import {
  type Answer,
  answerAdministrator,
  answerHostPort,
  answerOrigin,
  answerResidency,
  answerServerName,
  answerTimeServers,
  type CertificateChoice,
  type PeerAnswer,
  type SiteAnswers,
} from './site-answers.ts'

export async function askForSite(questions: Questions): Promise<SiteAnswers> {
  questions.say(
    'Letro asks what it must know to set up this server. Nothing is written before the last answer; Ctrl-C ends.',
  )
  const serverName = await questions.ask({
    title: 'Server name',
    why: 'It stands behind the colon in every user id: @amal:clinic.example. Choose the domain of your organisation. It can NEVER be changed.',
    parse: answerServerName,
  })
  const host = serverName.replace(/:[0-9]+$/, '')
  const origin = await questions.ask({
    title: 'Address that people open',
    why: 'The https address of the app. Passkeys are bound to its host, so the host can NEVER be changed once somebody has signed in. Your DNS must lead it to this machine.',
    byDefault: `https://${host}`,
    parse: answerOrigin,
  })
  const administrator = await questions.ask({
    title: 'First administrator',
    why: `The part of the user id before the colon. They get a link when the server first starts, and make others administrators in the app.`,
    byDefault: 'admin',
    parse: answerAdministrator,
  })
  const certificate = await askForCertificate(questions)
  const port = new URL(origin).port || '443'
  const client = await questions.ask({
    title: 'Where people are answered',
    why:
      certificate.from === 'proxy'
        ? 'Where your proxy finds the server: an address of this machine alone.'
        : 'The address and port on this machine. [::] is every address.',
    byDefault: certificate.from === 'proxy' ? 'localhost:8008' : `[::]:${port}`,
    parse: answerHostPort,
  })
  const trustPage =
    certificate.from === 'own' &&
    (await questions.choose(
      {
        title: 'Trust page',
        why: 'A page at port 80 that tells people, for each kind of device, how it learns to trust the private authority. Nothing else is answered there. Needless where device management does that.',
      },
      [
        ['yes', true],
        ['no', false],
      ],
    ))
      ? { host: '::', port: 80 }
      : null
  const federates = await questions.choose(
    {
      title: 'Other servers',
      why: 'Letro talks to servers of other organisations that you pin one by one, and to no others. You can begin alone and turn this on later.',
    },
    [
      ['answer pinned servers at port 8448', true],
      ['talk to no other server', false],
    ],
  )
  const federation = federates ? { host: '::', port: 8448 } : null
  const residency = federates
    ? await questions.ask({
        title: 'Jurisdiction',
        why: 'Where this server keeps what it is sent, such as DE or CH-ZH. It stands in the card that others pin, and rooms may demand one. Empty: not said.',
        parse: (text): Answer<string | null> =>
          text === '' ? { ok: true, value: null } : answerResidency(text.toUpperCase()),
      })
    : null
  const timeServers = await questions.ask({
    title: 'Time servers',
    why: 'A wrong clock breaks certificates, sign-in and the times of messages. Name your organisation’s time servers (NTP), with spaces between. They are asked now, once. Empty: something else keeps this machine’s clock right.',
    parse: answerTimeServers,
  })
  const peers = federates ? await askForPeers(questions) : []
  return {
    serverName,
    origin,
    administrator,
    certificate,
    listen: { client, federation, trustPage },
    federation: { address: null, residency },
    time: { servers: timeServers, nts: false },
    peers,
    network: null,
  }
}

async function askForCertificate(questions: Questions): Promise<CertificateChoice> {
  const from = await questions.choose<CertificateChoice['from']>(
    {
      title: 'Certificate',
      why: 'Browsers and phones open nothing that their device does not trust.',
    },
    [
      [
        'a private authority, made now: it vouches for this server alone and renews\n      itself; every device must learn to trust it once (a page helps with that)',
        'own',
      ],
      ['the authority of my organisation, which devices trust already', 'organisation'],
      ['files that another program keeps fresh (such as an ACME client)', 'files'],
      ['none here: a proxy on this machine speaks TLS', 'proxy'],
    ],
  )
  const path = (title: string, why: string) => questions.ask({ title, why, parse: answerPath })
  switch (from) {
    case 'files':
      return {
        from,
        certificate: await path('Certificate file', 'PEM, with its chain.'),
        key: await path('Key file', 'PEM, without a passphrase, readable for the user who runs the server.'),
      }
    case 'organisation': {
      const file = await questions.ask({
        title: 'Its certificate',
        why: 'The file that your authority issued for this server: PEM with its chain and key, or PKCS #12 (.p12, .pfx). Empty: you have none yet; a request is made now, and the server starts once you bring the certificate.',
        parse: (text): Answer<string | null> => ({ ok: true, value: text === '' ? null : text }),
      })
      return { from, ...(file === null ? {} : { file }) }
    }
    default:
      return { from }
  }
}

async function askForPeers(questions: Questions): Promise<PeerAnswer[]> {
  const peers: PeerAnswer[] = []
  for (;;) {
    const file = await questions.ask({
      title: peers.length === 0 ? 'Sites to talk to' : 'Another site',
      why: 'The file of the card that another Letro site handed out (letro peer card). It is pinned at the first start. Empty: none, or no more; later it is letro peer pin.',
      parse: (text): Answer<string> => ({ ok: true, value: text }),
    })
    if (file === '') return peers
    try {
      const card = await readCardFile(file)
      const words = wordsOf(card.rootKey)
      questions.say(`\n${cardText(card)}\nIts key in words:\n\n${wordsText(words)}`)
      const same = await questions.choose(
        {
          title: `Is it really ${card.serverName}?`,
          why: 'Call its administrator, on a number that did not come with the card, and let them read all sixteen words to you.',
        },
        [
          ['no, or not compared yet: leave it out', false],
          ['yes, all sixteen words were the same', true],
        ],
      )
      if (same) peers.push({ card: card.json, fingerprint: words.join(' ') })
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error
      questions.say(`   ${error.message}`)
    }
  }
}

function answerPath(text: string): Answer<string> {
  return text === '' ? { ok: false, sentence: 'the path of a file' } : { ok: true, value: text }
}

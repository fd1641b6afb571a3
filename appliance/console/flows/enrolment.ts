/** The first administrator's link, after name and certificate were looked at. */
import { ask, call, type Flow, type Live, look, type Steps } from '../flow.ts'
import type { Facts, Link } from '../machine.ts'
import { type Block, choice, fact, gap, type Page, text, wayOut } from '../page.ts'
import { certificateFacts } from './home.ts'
import { qrModules, qrRows } from './qr.ts'

export function* enrolment(): Flow {
  const facts = yield* look('look', null, 'Looking at the machine')
  const { site } = facts
  if (!site || facts.server.state !== 'serving') {
    yield* ask({
      title: 'The server does not serve yet.',
      blocks: [
        text('The link can be made once it does.'),
        ...facts.server.sentences.map(line => text(line, 'warn')),
        gap,
        wayOut(),
      ],
    })
    return 'done'
  }
  const { chosen } = yield* ask(checkPage(facts, site))
  if (chosen !== 'right') return 'done'
  const link = yield* call('firstAdministratorLink', null, 'Making the link')
  yield* showLink('The link of the first administrator', link)
  return 'home'
}

function checkPage(facts: Facts, site: NonNullable<Facts['site']>): Page {
  return {
    title: 'Look at these before the first link is made',
    blocks: [
      fact('server name', site.serverName),
      fact('people open', site.origin),
      ...certificateFacts(facts),
      gap,
      text(
        'The host of the address is bound to every passkey from the first link on. The fingerprint is what people compare when their device learns to trust this server: write it down.',
        'soft',
      ),
      gap,
      choice('right', 'They are right: make the link'),
      wayOut('Not now'),
    ],
  }
}

/** Text first, the code on a page of its own, as often as wanted. */
export function* showLink(title: string, { link, userId, expiresTs, remark }: Link): Steps<void> {
  const until =
    expiresTs === null
      ? ''
      : `, until ${new Date(expiresTs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const words: Block[] = [
    fact('for', userId),
    fact('works', `once${until}`),
    ...(remark === null ? [] : [text(remark, 'warn')]),
    gap,
    { block: 'code', label: 'link', lines: [link] },
    gap,
    text('Whoever opens it becomes this administrator: let only them see this screen.', 'warn'),
    gap,
  ]
  const done = choice('done', 'Done: take it from the screen')
  for (;;) {
    const { chosen } = yield* ask(({ line }) => ({
      ...{ title, isFinal: true },
      blocks: [...words, ...(line === 'console' ? [choice('qr', 'Show it as a QR code')] : []), done],
    }))
    if (chosen !== 'qr') return
    yield* ask(live => qrPage(link, live))
  }
}

function qrPage(link: string, { size }: Live): Page {
  const modules = qrModules(link)
  if (qrRows(modules) > Math.max(24, size.rows))
    return {
      title: 'This screen is too small for the code.',
      blocks: [
        text(
          `It needs ${qrRows(modules)} rows. Type the link instead, or enlarge the terminal and press Ctrl+L.`,
        ),
        gap,
        wayOut(),
      ],
    }
  return {
    title: 'QR code',
    isBare: true,
    blocks: [{ block: 'picture', modules }, text('Enter: back'), wayOut()],
  }
}

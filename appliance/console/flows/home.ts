/** The home: what this machine is and how it fares. Anybody may see it; what lies behind it asks for the PIN. */
import { ask, type Flow, type Live, look } from '../flow.ts'
import type { Facts } from '../machine.ts'
import { type Block, choice, fact, gap, type Page, text } from '../page.ts'
import type { Tone } from '../screen.ts'
import { askPin } from './pin.ts'

const roomyRows = 30

export function* home(): Flow {
  yield* ask(homePage, { stays: true })
  const { hasPin } = yield* look('look', null, 'Looking at the machine')
  if (hasPin && !(yield* askPin())) return 'done'
  return { open: 'menu', returns: false }
}

export function homePage({ facts, now, size }: Live): Page {
  const { site, server } = facts
  const title = site === null ? 'This machine is not set up.' : headline(facts)
  // Groups stand apart where there is room.
  const apart = size.rows >= roomyRows ? [gap] : []
  return {
    title,
    tone: toneOf(facts),
    isFinal: true,
    blocks: [
      ...(site ? [fact('server name', site.serverName), fact('people open', site.origin)] : []),
      ...apart,
      ...networkFacts(facts),
      ...(site?.trustPage ? [fact('trust page', site.trustPage)] : []),
      ...apart,
      ...certificateFacts(facts),
      ...apart,
      ...(server.state === 'maintenance' || server.state === 'away'
        ? server.sentences.slice(-3).map((line, i) => fact(i === 0 ? 'it says' : '', line, 'warn' as Tone))
        : []),
      ...(facts.hasAdministrator === false
        ? [fact('to do', 'Nobody administers this site yet: make the first link in the menu.', 'seal')]
        : []),
      ...machineFacts(facts, now),
      gap,
      choice('menu', facts.hasPin ? 'Administer this machine (asks for the PIN)' : 'Administer this machine'),
    ],
  }
}

export function headline({ server, health }: Pick<Facts, 'server' | 'health'>): string {
  switch (server.state) {
    case 'none':
      return 'This machine is not set up.'
    case 'away':
      return 'The server does not answer.'
    case 'maintenance':
      return 'The data is damaged: the server is in maintenance.'
    case 'out-of-service':
      return 'The server is in maintenance: nobody is served.'
    case 'serving':
      switch (health?.state) {
        case 'warning':
          return 'It works, and something needs you in the next days.'
        case 'alarm':
          return 'SOMETHING IS WRONG: act now.'
        case 'ok':
        case 'note':
          return 'All is well.'
        default:
          return 'The server answers.'
      }
    default:
      return server.state satisfies never
  }
}

function toneOf({ server, health }: Facts): Tone {
  if (server.state === 'maintenance' || server.state === 'away' || health?.state === 'alarm') return 'bad'
  return server.state === 'out-of-service' || health?.state === 'warning' ? 'warn' : 'strong'
}

export function networkFacts({ network }: Pick<Facts, 'network'>): Block[] {
  if (network.length === 0) return [fact('addresses', 'no network card was found', 'warn')]
  const anyLink = network.some(({ hasLink }) => hasLink)
  // Where there are many, those by which the machine is reached come first.
  const [reached, others] = [network.filter(isReached), network.filter(link => !isReached(link))]
  return [...reached, ...others].slice(0, 4).map(({ name, hasLink, carries, addresses }, i) => {
    const without = carries === null ? 'no address yet' : `carries ${carries}`
    const words = hasLink ? addresses.slice(0, 3).join('  ') || without : 'no cable'
    return fact(i === 0 ? 'addresses' : '', `${name}  ${words}`, hasLink ? 'ink' : anyLink ? 'faint' : 'warn')
  })
}

const isReached = ({ hasLink, addresses }: Facts['network'][number]) => hasLink && addresses.length > 0

export function certificateFacts({ certificate }: Pick<Facts, 'certificate'>): Block[] {
  if (!certificate) return []
  const { words, fingerprint } = certificate
  if (words.length > 0) return words.map((line, i) => fact(i === 0 ? 'fingerprint' : '', line, 'seal'))
  return [fact('fingerprint', fingerprint, 'seal')]
}

function machineFacts(facts: Facts, now: number): Block[] {
  const { health, slots, release, isClockSynchronised, isClockInDoubt } = facts
  const found = health?.findings ?? 0
  return [
    ...(health && found > 0
      ? [
          fact(
            'health',
            found === 1 ? '1 finding: see the menu, Health' : `${found} findings: see the menu, Health`,
            tones[health.state],
          ),
        ]
      : []),
    ...(facts.waitingUpdate === null
      ? []
      : [fact('update', `${facts.waitingUpdate} waits for the restart`, 'seal')]),
    fact('version', `${release.version}${slots ? slotWords(slots) : ''}`),
    fact('sealed by', sealWords(facts), facts.secureBoot === 'on' ? 'ink' : 'warn'),
    fact(
      'clock',
      `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC, ${clockWords(facts)}`,
      isClockSynchronised === false || isClockInDoubt ? 'warn' : 'ink',
    ),
  ]
}

function clockWords({ isClockInDoubt, isClockSynchronised }: Facts): string {
  if (isClockInDoubt) return 'in doubt: see the menu, Time'
  if (isClockSynchronised === null) return 'not compared'
  return isClockSynchronised ? 'kept right' : 'kept right by nothing'
}

const tones = { ok: 'good', note: 'ink', warning: 'warn', alarm: 'bad' } as const

export function slotWords({ running, isOnTrial, other }: NonNullable<Facts['slots']>): string {
  const trial = isOnTrial ? ', on trial until it is found well' : ''
  return ` in slot ${running.toUpperCase()}${trial}; the other slot ${other === null ? 'is empty' : `holds ${other}`}`
}

export function sealWords({ secureBoot, tpm, disk }: Facts): string {
  const boot = {
    on: 'Secure Boot',
    off: 'Secure Boot is OFF',
    setup: 'Secure Boot in SETUP mode',
    unknown: 'Secure Boot unknown',
  }
  const opens =
    disk.state === 'open' && disk.opensBy === 'tpm'
      ? 'the TPM opens the data'
      : disk.state === 'open' && disk.opensBy === 'passphrase'
        ? 'a passphrase opens the data'
        : `${{ present: 'TPM present', absent: 'no TPM', unknown: 'TPM unknown' }[tpm]}`
  return `${boot[secureBoot]}; ${opens}`
}

/** While the disk is not looked at yet. */
export function* waiting(): Flow {
  yield* ask(
    ({ facts }) => ({
      title: 'The machine is starting.',
      isFinal: true,
      blocks: [text(facts.disk.sentence ?? 'The data partition is being opened.', 'soft')],
    }),
    { stays: true },
  )
  return 'done'
}

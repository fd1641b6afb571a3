/**
 * What each finding means, and what to do about it: for somebody who was woken for this.
 *
 * One entry a code (the compiler misses none). A finding of a newer server, whose code is unknown here, is shown as it is.
 */
import { type Finding, type FindingCode, isFindingCode } from '#protocol/finding.ts'
import type { JsonObject } from '#protocol/json.ts'
import { days, gibibytes, moment, span } from './amounts.ts'

export interface FindingText {
  /** What is the case. */
  readonly is: string
  /** What to do. */
  readonly act: string
}

type Text = (facts: Facts, subject: string) => FindingText

export function findingText(
  finding: Pick<Finding, 'subject' | 'facts'> & { readonly code: string },
  now: number,
): FindingText {
  const { code, subject = '', facts } = finding
  if (isFindingCode(code)) return texts[code](new Facts(facts, now), subject)
  return {
    is: `${code}${subject === '' ? '' : ` (${subject})`}: ${JSON.stringify(facts)}`,
    act: 'This letro is older than the server and does not know it. Use the letro of the server’s release.',
  }
}

/** Facts of a finding, in words; what is not there reads as "unknown". */
class Facts {
  readonly #facts: JsonObject
  readonly #now: number
  constructor(facts: JsonObject, now: number) {
    this.#facts = facts
    this.#now = now
  }
  number(name: string): number | null {
    const value = this.#facts[name]
    return typeof value === 'number' && Number.isFinite(value) ? value : null
  }
  text(name: string): string | null {
    const value = this.#facts[name]
    return typeof value === 'string' ? value.replaceAll(/[\p{Cc}\p{Cf}]/gu, '·').slice(0, 200) : null
  }
  is(name: string): boolean {
    return this.#facts[name] === true
  }
  bytes(name: string): string {
    return gibibytes(this.number(name))
  }
  span(name: string): string {
    const ms = this.number(name)
    return ms === null ? 'an unknown time' : span(Math.abs(ms))
  }
  /** "2027-03-01 12:00 UTC, in 5 days" */
  moment(name: string): string {
    const ts = this.number(name)
    return ts === null ? 'at an unknown time' : moment(ts, this.#now)
  }
}

const disk: Text = facts => {
  const left = facts.number('days_left')
  const soon = left === null ? '' : `; at the rate of the last weeks it is full in ${days(left)}`
  return {
    is: `The disk of the data folder has ${facts.bytes('available_bytes')} of ${facts.bytes('size_bytes')} left${soon}.`,
    act: 'Remove what is not Letro’s from that disk, or give it a larger one. When it is full, the server still lets people read but takes nothing new.',
  }
}

const ends = 'see letro certificate show'

const texts: Readonly<Record<FindingCode, Text>> = {
  'disk.filling': disk,
  'disk.full-soon': disk,
  'memory.short': facts => ({
    is: `The machine has ${facts.bytes('available_bytes')} of ${facts.bytes('total_bytes')} memory left.`,
    act: 'See what takes it (top). If it is another program, move it elsewhere; if it is Letro, restart it and report it to us.',
  }),
  'temperature.high': facts => ({
    is: `The processor is at ${facts.number('celsius') ?? 'an unknown number of'} °C.`,
    act: 'Look at fans, dust and the room’s cooling. A machine this hot slows itself down, then switches itself off.',
  }),
  'smart.failing': (_facts, device) => ({
    is: `The disk ${device} says of itself that it is failing.`,
    act: 'Make a backup now (letro backup create), then replace the disk. Do not wait for it to get worse.',
  }),
  'clock.jumped': facts =>
    facts.is('since_stop')
      ? {
          is: `The clock stands ${facts.span('by_ms')} after the last stop of this server.`,
          act: `If the server was off for that long, all is well. If not, set the machine’s clock. ${doubt(facts)}`,
        }
      : {
          is: `The clock jumped ${(facts.number('by_ms') ?? 0) < 0 ? 'back' : 'forward'} by ${facts.span('by_ms')}.`,
          act: `Check the machine’s time, and what keeps it (timedatectl). ${doubt(facts)}`,
        },
  'clock.not-synchronised': () => ({
    is: 'Nothing keeps the machine’s clock right.',
    act: 'Give it a time source: systemd-timesyncd or chrony, with a server of your own network where there is no internet. A wrong clock breaks certificates, sign-in and the times of messages.',
  }),
  'clock.behind': facts => ({
    is: `The clock is ${facts.span('behind_ms')} behind what is already stored.`,
    act: 'Set the machine’s clock. If it starts like this each time, its battery is empty. Messages that are sent now bear a time that is too early; their order is not harmed.',
  }),
  'store.slow': facts => ({
    is: `A write to disk takes ${facts.number('median_ms') ?? '?'} ms; a message is sent no faster than that.`,
    act: 'Look what else writes to this disk, and whether it is failing (dmesg, smartctl -a). The data folder does not belong on a network drive.',
  }),
  'store.maintenance': () => ({
    is: 'The server found damaged data and serves nobody until it is repaired.',
    act: 'Stop it. Copy the data folder to another disk. Then: letro store check --data FOLDER',
  }),
  'worker.restarting': facts => ({
    is: `The process for passwords and pictures died ${facts.number('deaths') ?? 'several'} times within an hour.`,
    act: 'Memory may be short, or somebody sends pictures that break the decoder. It is started again by itself; update Letro when a release is there.',
  }),
  'peer.unreachable': (facts, peer) => ({
    is: `${peer} takes nothing since ${facts.span('waited_ms')}: ${facts.text('last_error') ?? 'it does not answer'}. ${facts.number('length') ?? 'Some'} waiting.`,
    act: `Nothing is lost, it goes out when ${peer} is back. See letro peer status ${peer}, and call its administrator.`,
  }),
  'peer.queue-long': (facts, peer) => ({
    is: `${facts.number('length') ?? 'Many'} messages and keys wait for ${peer}.`,
    act: `It is reachable but slow, or was away. Look again in an hour: letro peer status ${peer}`,
  }),
  'rooms.frozen': facts => ({
    is: `${amount(facts.number('rooms'), 'room stands', 'rooms stand')} still, because a server that is not pinned came in.`,
    act: 'Decide for each: pin that server (letro peer pin, for verification only if you like), or have its people put out of the room. The room tells its people which server it is.',
  }),
  'certificate.expires': (facts, use) => ({
    is: `The ${use || 'server'} certificate ends ${facts.moment('expires_ts')}.`,
    act: `Renew it, ${ends}. After that day no app and no browser connects.`,
  }),
  'certificate.expired': (facts, use) => ({
    is: `The ${use || 'server'} certificate has ended, ${facts.moment('expires_ts')}: nobody new can connect.`,
    act: `Renew it now, ${ends}.`,
  }),
  'certificate.not-yet-valid': (facts, use) => ({
    is: `The ${use || 'server'} certificate is valid only from ${facts.moment('valid_from_ts')}.`,
    act: 'Either the machine’s clock is wrong, or the certificate was issued by a machine whose clock is. Check the clock first (timedatectl).',
  }),
  'certificate.unreadable': (_facts, use) => ({
    is: `The ${use || 'server'} certificate or its key cannot be read; what was loaded before is still used.`,
    act: `Put the right files back and make them readable for Letro; ${ends}. A restart without them fails.`,
  }),
  'certificate.renewal-failed': (facts, use) => ({
    is: `The ${use || 'server'} certificate could not be renewed${reason(facts)}.`,
    act: `It is tried again by itself. Renew it by hand before it ends, ${ends}.`,
  }),
  'certificate.authority-expires': facts => ({
    is: `The site’s own certificate authority ends ${facts.moment('expires_ts')}.`,
    act: 'Make the next one now and bring it to all devices (letro certificate --help): phones must trust it before the old one ends.',
  }),
  'certificate.authority-expired': facts => ({
    is: `The site’s own certificate authority has ended, ${facts.moment('expires_ts')}: no device trusts this server.`,
    act: 'Make a new one (letro certificate --help) and bring it to every device by the trust page.',
  }),
  'certificate.peer-expires': (facts, peer) => ({
    is: `The certificate of ${peer} ends ${facts.moment('expires_ts')}.`,
    act: `Tell its administrator. After that day nothing goes to ${peer} until it has another one.`,
  }),
  'certificate.peer-expired': (facts, peer) => ({
    is: `The certificate of ${peer} has ended, ${facts.moment('expires_ts')}.`,
    act: `Tell its administrator. What is for ${peer} waits here.`,
  }),
  'backup.none': () => ({
    is: 'There has never been a backup of this server.',
    act: 'Set one up (letro backup --help). What a disk destroys, only a backup brings back.',
  }),
  'backup.old': facts => ({
    is: `The last backup that succeeded was ${facts.moment('last_success_ts')}.`,
    act: 'See why the later ones did not (letro backup status), and make one now: letro backup create',
  }),
  'backup.failed': facts => ({
    is: `The last backup failed${reason(facts)}.`,
    act: 'See letro backup status. The one before it is still good.',
  }),
  'backup.same-disk': () => ({
    is: 'Backups go to the disk that holds the data.',
    act: 'Let them go to another disk, or to another machine by SFTP (backup.sftp). What takes this disk takes both.',
  }),
  'backup.keys-newer': facts => ({
    is: `Keys of this server were made after its last backup, ${facts.moment('last_success_ts')}.`,
    act: 'Make a backup now: letro backup create. Without those keys a restored server signs with old ones, and peers have to be told.',
  }),
  'administrators.only-one': () => ({
    is: 'There is only one administrator.',
    act: 'Make a second person one, before the first is ill or has lost a telephone. Without any, only whoever sits at this machine can make one (letro recover-administrator).',
  }),
  'administrators.one-passkey': facts => ({
    is: `${amount(facts.number('administrators'), 'administrator has', 'administrators have')} a single passkey.`,
    act: 'Add a second one (app: settings, security), best on a security key in a drawer. A lost telephone would be a locked-out administrator.',
  }),
  'external.ends-soon': facts => ({
    is: `${amount(facts.number('people'), 'external account ends', 'external accounts end')} within two weeks, the first ${facts.moment('first_ts')}.`,
    act: 'Nothing, if that is meant. Who is to stay gets a later day, in the administration view under people.',
  }),
  'appliance.went-back': facts => ({
    is: `Release ${facts.text('failed') ?? '?'} was tried and did not prove itself; the machine went back to ${facts.text('running') ?? 'the one before'}.`,
    act: 'Nothing is lost, and nothing has to be done at night. Apply the update once more; if it goes back again, report it to us with what the console shows under versions.',
  }),
  'appliance.development': () => ({
    is: 'This is a development image: whoever built it can sign updates for it, and knows its keys.',
    act: 'Use it for trying only. Install a released image before anybody writes anything that counts.',
  }),
  'appliance.secure-boot-off': facts => ({
    is:
      facts.text('state') === 'unsupported'
        ? 'The firmware of this machine has no Secure Boot: it starts whatever is put onto its disk.'
        : 'Secure Boot is not on: this machine starts whatever is put onto its disk.',
    act: 'At the console, under Secure Boot, enrol the keys of this image (the firmware has to be in setup mode). In a virtual machine, give it a firmware with Secure Boot.',
  }),
  'appliance.tpm-absent': () => ({
    is: 'This machine has no TPM: somebody has to type the passphrase at every start.',
    act: 'Nothing, if that is meant. Otherwise make a backup, switch the TPM on in the firmware (or add one to the virtual machine), set the machine up anew, and restore.',
  }),
  'appliance.tpm-failed': () => ({
    is: 'The TPM did not open the data at the last start; the recovery key had to.',
    act: 'If board or firmware were changed on purpose: restart, type the recovery key, and seal the data to the TPM when the console offers it. If not, find out who had the machine. Until then every start needs the recovery key.',
  }),
  'update.waiting': facts => ({
    is: `Release ${facts.text('version') ?? '?'} was written ${facts.moment('applied_ts')} and waits for a restart.`,
    act:
      facts.text('window') === 'none'
        ? 'Restart when it suits people (letro update restart), or give the machine hours in which it may do so by itself (letro update window).'
        : `The machine restarts by itself between ${facts.text('window') ?? '?'}, or now: letro update restart`,
  }),
  'update.refused': facts => ({
    is: `An update was refused or broke off (${facts.text('reason') ?? '?'}), ${facts.moment('ts')}.`,
    act: 'See letro update status. The running release was not changed.',
  }),
  'syslog.behind': facts => ({
    is: `The syslog collector has taken nothing since ${facts.span('behind_ms')}${reason(facts)}. ${facts.number('waiting') ?? 'Some'} lines wait.`,
    act: 'Look at the collector, its certificate and syslog.authority. No line is lost; they are kept here until it takes them.',
  }),
  'health.source-failed': (_facts, source) => ({
    is: `It could not be found out how “${source}” is.`,
    act: 'What was known of it before still stands. If this stays after a restart, report it to us.',
  }),
}

function doubt(facts: Facts): string {
  if (!facts.is('in_doubt')) return ''
  if (facts.is('until_confirmed'))
    return 'No account is ended and no certificate renewed by this clock until somebody says at the machine’s console (Time) that it is right, or sets it.'
  return 'For an hour no external account is ended by this clock; set it right within that time, or they lose their devices.'
}

function reason(facts: Facts): string {
  const said = facts.text('reason') ?? facts.text('last_error') ?? facts.text('failure')
  return said === null ? '' : ` (${said})`
}

function amount(count: number | null, one: string, several: string): string {
  return count === null ? `Some ${several}` : `${count} ${count === 1 ? one : several}`
}

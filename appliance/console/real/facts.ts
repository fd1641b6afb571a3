/** What is the case now, put together from the machine's own reports and what the server says. Whatever is not known is null. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprintLines } from '#protocol/fingerprint-words.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { type MachineReport, parseMachineReport, type ReportedImage } from '#protocol/machine-report.ts'
import { type DiskState, type LockedReason, readDiskState } from '../../disk/disk-state.ts'
import type { Machine as DiskMachine } from '../../disk/machine.ts'
import { secureBoot } from '../../disk/secure-boot.ts'
import { hasTpm } from '../../disk/tpm.ts'
import { clockState } from '../../network/clock.ts'
import { links } from '../../network/links.ts'
import type { Facts } from '../machine.ts'
import { type AdminSocket, objectIn } from './admin-socket.ts'
import type { UpdaterSocket } from './updater-socket.ts'

export interface FactsDeps {
  readonly disk: Pick<DiskMachine, 'paths' | 'root' | 'run'>
  readonly server: AdminSocket
  readonly updater: UpdaterSocket
  readonly hasPin: () => boolean
  readonly isRemovable: () => Promise<boolean>
}

export async function readFacts({ disk, server, updater, hasPin, isRemovable }: FactsDeps): Promise<Facts> {
  const { paths } = disk
  const report = parseMachineReport(objectIn(textOf(paths.machineReport)))
  const firmware = report ?? (await readFirmware(disk))
  const state = await readDiskState(disk)
  const isOpen = state?.state === 'open'
  const hasSite = isOpen && existsSync(paths.configFile)
  const [said, waiting, removable] = await Promise.all([
    hasSite ? readServer(disk, server) : noServer,
    isOpen ? waitingUpdate(updater) : null,
    isRemovable(),
  ])
  return {
    ...machineFacts(report, firmware, objectIn(textOf(paths.release))),
    disk: diskFacts(state),
    isRemovable: removable,
    network: links(disk).map(({ driver, carrier, ...link }) => ({
      ...link,
      hasLink: carrier,
      isCard: driver !== null,
    })),
    isClockInDoubt: clockState(disk)?.state === 'ahead',
    hasPin: isOpen && hasPin(),
    waitingUpdate: waiting,
    ...said,
  }
}

type ServerFacts = Pick<
  Facts,
  'site' | 'server' | 'health' | 'certificate' | 'hasAdministrator' | 'isClockSynchronised'
>

const noServer: ServerFacts = {
  site: null,
  server: { state: 'none', sentences: [] },
  health: null,
  certificate: null,
  hasAdministrator: null,
  isClockSynchronised: null,
}

/** The report is written a while after the start; what the firmware has, anybody can see before. */
async function readFirmware(disk: FactsDeps['disk']): Promise<Pick<MachineReport, 'secureBoot' | 'tpm'>> {
  const [{ state }, isThere] = await Promise.all([secureBoot(disk), hasTpm(disk)])
  return { secureBoot: state, tpm: isThere ? 'present' : 'absent' }
}

function machineFacts(
  report: MachineReport | null,
  firmware: Pick<MachineReport, 'secureBoot' | 'tpm'>,
  release: JsonObject,
): Pick<Facts, 'release' | 'slots' | 'secureBoot' | 'tpm'> {
  const other = report?.slots.images.find(image => !image.running)
  const ours = report?.slots.images.find(image => image.running)
  const running = report?.slots.running ?? null
  return {
    release: {
      version: report?.release.version ?? String(release['version'] ?? ''),
      // A release that does not say what it is counts as one for trying.
      isDevelopment: report?.release.development ?? release['development'] !== false,
    },
    slots: running && {
      running,
      isOnTrial: ours?.state === 'trying',
      other: other ? imageWords(other) : null,
    },
    secureBoot: firmware.secureBoot === 'unsupported' ? 'unknown' : firmware.secureBoot,
    tpm: firmware.tpm,
  }
}

const imageWords = ({ version, state }: ReportedImage): string =>
  state === 'bad' ? `${version}, which did not run well` : version

const locked: Readonly<Record<LockedReason, string | null>> = {
  passphrase: null,
  'no-tpm': 'The data was sealed to a TPM, and this machine has none (or its firmware has switched it off).',
  'tpm-refused':
    'The TPM does not open it: it is another one, or was cleared, or what started is not what the data was sealed to.',
  'tpm-failed': 'The TPM does not answer as it should.',
}

export function diskFacts(state: DiskState | null): Facts['disk'] {
  switch (state?.state) {
    case undefined:
      return { state: 'waiting', sentence: null, opensBy: null }
    case 'new':
      return { state: 'new', sentence: null, opensBy: null }
    case 'open':
      return { state: 'open', sentence: null, opensBy: state.ways.tpm ? 'tpm' : 'passphrase' }
    case 'locked':
      return {
        state: 'locked',
        sentence: locked[state.why],
        opensBy: state.why === 'passphrase' ? 'passphrase' : 'tpm',
      }
    case 'damaged':
      return { state: 'damaged', sentence: state.sentence, opensBy: null }
    default:
      return state satisfies never
  }
}

async function readServer({ paths, run }: FactsDeps['disk'], server: AdminSocket): Promise<ServerFacts> {
  const alive = await server.send('GET', '/_letro/health')
  const site = siteOfToml(textOf(paths.configFile))
  if (alive?.status === 503) return { ...noServer, site, server: await maintenanceFacts(paths.site, server) }
  if (alive?.status !== 200)
    return { ...noServer, site, server: { state: 'away', sentences: await lastWords(run) } }
  const [about, health, administrators] = await Promise.all(
    ['/site', '/health', '/people?kind=administrator&limit=1'].map(path =>
      server.ask('GET', path).catch((): JsonObject => ({})),
    ),
  )
  const { people } = administrators!
  const readings = part(health!, 'readings')
  const synchronised = part(readings, 'clock')['synchronised']
  return {
    site:
      typeof about!['server_name'] === 'string'
        ? {
            serverName: about!['server_name'],
            origin: String(about!['origin']),
            trustPage: typeof about!['trust_page'] === 'string' ? about!['trust_page'] : null,
          }
        : site,
    server: { state: 'serving', sentences: [] },
    health: healthOf(health!),
    certificate: certificateOf(about!, part(readings, 'certificates')),
    hasAdministrator: Array.isArray(people) ? people.length > 0 : null,
    isClockSynchronised: typeof synchronised === 'boolean' ? synchronised : null,
  }
}

function healthOf(health: JsonObject): Facts['health'] {
  const { state, findings } = health
  if (state !== 'ok' && state !== 'note' && state !== 'warning' && state !== 'alarm') return null
  return { state, findings: Array.isArray(findings) ? findings.length : 0 }
}

/** In the words of the trust page where the authority is the site's own; else what the certificate itself has. */
function certificateOf(about: JsonObject, certificates: JsonObject): Facts['certificate'] {
  const authority = part(about, 'authority')
  const [first] = Array.isArray(certificates['server']) ? certificates['server'].filter(isObject) : []
  const untilTs = typeof first?.['not_after_ts'] === 'number' ? first['not_after_ts'] : null
  const words = Array.isArray(authority['words']) ? authority['words'].map(String) : []
  const fingerprint = authority['fingerprint_sha256'] ?? first?.['fingerprint_sha256']
  if (typeof fingerprint !== 'string') return null
  return { words: fingerprintLines(words), fingerprint, untilTs }
}

async function maintenanceFacts(siteFolder: string, server: AdminSocket): Promise<Facts['server']> {
  const token = textOf(join(siteFolder, 'data', 'maintenance.token')).trim()
  const answer = await server.send('GET', '/_letro/maintenance/v1/status', undefined, token)
  const findings = answer?.json['findings']
  if (!Array.isArray(findings))
    return {
      state: 'maintenance',
      sentences: ['The data is damaged or incomplete: the server serves nobody.'],
    }
  const sentences = findings.filter(isObject).map(({ message }) => String(message))
  return { state: sentences.length > 0 ? 'maintenance' : 'out-of-service', sentences }
}

/** Why it does not start, in its own words; never a link, which is the key to an account. */
async function lastWords(run: DiskMachine['run']): Promise<string[]> {
  const args = [
    '--unit=letro-server.service',
    '--boot',
    '--lines=40',
    '--output=cat',
    '--no-pager',
    '--quiet',
  ]
  const { stdout } = await run('journalctl', args).catch(() => ({ stdout: '' }))
  return stdout
    .split('\n')
    .filter(line => line.trim() !== '' && !/enrol|https?:|^\s+at |[█▀▄]/.test(line))
    .slice(-4)
}

/** The two keys by which people know their site, where the server cannot be asked. */
export function siteOfToml(toml: string): Facts['site'] {
  const section = /^\[server\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(toml)?.[1] ?? ''
  const value = (key: string) => new RegExp(`^${key}\\s*=\\s*"([^"\\\\]*)"`, 'm').exec(section)?.[1]
  const serverName = value('name')
  return serverName === undefined
    ? null
    : { serverName, origin: value('origin') ?? `https://${serverName}`, trustPage: null }
}

async function waitingUpdate(updater: UpdaterSocket): Promise<string | null> {
  return updater.status().then(
    status => status?.waiting?.version ?? null,
    () => null,
  )
}

function part(of: JsonObject, name: string): JsonObject {
  const value = of[name]
  return isObject(value) ? value : {}
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

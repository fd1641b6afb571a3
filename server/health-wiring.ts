/**
 * Health from its parts, for `serving.ts`: who is asked at each look, who is told, and what is done for it from time to time.
 *
 * The clock is watched from before accounts open, because they ask whether it is in doubt. Other areas add their sources
 * to `health` (`addSource`, `addReading`).
 */
import type { Accounts } from './accounts/accounts.ts'
import type { Duty } from './duties.ts'
import { isClockDoubted, openAppliance } from './health/appliance.ts'
import { type ClockWatch, openClockWatch } from './health/clock.ts'
import { diskUseOf, openDisk } from './health/disk.ts'
import { openFrozenRooms } from './health/frozen.ts'
import { type Health, openHealth } from './health/health.ts'
import { openMachine, probeMachine, systemMemory } from './health/machine.ts'
import { openPeerQueues } from './health/peer-queues.ts'
import { openPeopleHealth } from './health/people.ts'
import { openProcessHealth } from './health/process.ts'
import { openStoreSize } from './health/store-size.ts'
import { openSyslog } from './health/syslog.ts'
import { syslogHostname } from './health/syslog-line.ts'
import { type Collector, deliver } from './health/syslog-transport.ts'
import { openTimeKeeping } from './health/time-keeping.ts'
import { openWriteLatency } from './health/write-latency.ts'
import type { OutboundStatus } from './peers/outbound.ts'
import type { PeerBook } from './peers/pins.ts'
import type { ServerName, UserId } from './protocol/ids.ts'
import { release } from './release.ts'
import { storeFolder } from './store/level-folder.ts'
import type { Store } from './store/store.ts'

export interface HealthParts {
  readonly store: Store
  readonly dataFolder: string
  readonly serverName: ServerName
  readonly clockWatch: ClockWatch
  readonly clock: () => number
  readonly monotonic: () => number
  readonly asksMachine: boolean
  readonly accounts: Pick<Accounts, 'people' | 'tellIn' | 'audit'>
  readonly peers: Pick<PeerBook, 'pins'>
  readonly outbound: (server: ServerName) => Promise<OutboundStatus>
  readonly workerDeaths: () => number
  /** The machine report; null: this is no appliance. */
  readonly applianceReport: string | null
  /** null: no syslog. */
  readonly collector: Collector | null
  readonly report: (message: string) => void
}

export interface ServerHealth {
  readonly health: Health
  readonly duties: readonly Duty[]
  close(): void
}

const minuteMs = 60_000
const syslogEveryMs = 10_000

export function watchClock(
  store: Store,
  parts: Pick<HealthParts, 'clock' | 'monotonic' | 'asksMachine' | 'applianceReport'>,
): Promise<ClockWatch> {
  const { clock, monotonic, asksMachine, applianceReport } = parts
  return openClockWatch({
    ...{ store, clock, monotonic },
    synchronised: asksMachine ? openTimeKeeping(monotonic) : async () => null,
    machineDoubts: async () => (applianceReport === null ? null : isClockDoubted(applianceReport)),
  })
}

export async function openServerHealth(parts: HealthParts): Promise<ServerHealth> {
  const { store, dataFolder, serverName, clockWatch, clock, monotonic, accounts, report } = parts
  const health = await openHealth({
    store,
    clock,
    monotonic,
    report,
    administrators: {
      owners: () => accounts.people.administrators(),
      tellIn: async (tx, owners, changes) => {
        const notices = changes.map(({ change, ts: _, ...finding }) => ({
          action: `health.${change}`,
          target: serverName,
          finding: { ...finding },
        }))
        await accounts.tellIn(tx, owners as readonly UserId[], notices)
      },
    },
  })
  const disk = openDisk({ store, use: () => diskUseOf(dataFolder) })
  const writes = openWriteLatency(monotonic)
  const machine = openMachine({
    monotonic,
    memoryNow: parts.asksMachine ? systemMemory : () => null,
    probe: parts.asksMachine ? probeMachine : async () => null,
  })
  const queues = openPeerQueues({ pins: () => parts.peers.pins(), status: parts.outbound })
  const people = openPeopleHealth(store)
  const frozen = openFrozenRooms(store)
  const ownProcess = openProcessHealth({ monotonic, workerDeaths: parts.workerDeaths })

  for (const [name, { source, reading }] of Object.entries({
    disk,
    clock: clockWatch,
    writes,
    queues,
    people,
    rooms: frozen,
    process: ownProcess,
  })) {
    health.addSource(name, source)
    health.addReading(name, reading)
  }
  health.addSource('machine', machine.source)
  health.addReading('memory', machine.memory)
  health.addReading('temperature', machine.temperature)
  health.addReading('smart', machine.disks)
  health.addReading('store', openStoreSize(store, storeFolder(dataFolder), monotonic))

  if (parts.applianceReport !== null) {
    const appliance = openAppliance(parts.applianceReport)
    health.addSource('appliance', appliance.source)
    health.addReading('appliance', appliance.reading)
  }

  const duties: Duty[] = [
    { name: 'clock', everyMs: minuteMs, run: () => writes.measure(() => clockWatch.remember()) },
    {
      name: 'disk sample',
      everyMs: 6 * 60 * minuteMs,
      // By a wrong clock the samples of a hundred days would look old, and go.
      run: async now => (clockWatch.isInDoubt ? undefined : disk.sample(now)),
    },
    { name: 'health', everyMs: minuteMs, run: async () => void (await health.look()) },
  ]
  if (parts.collector) {
    const { collector } = parts
    const syslog = await openSyslog({
      store,
      clock,
      hostname: syslogHostname(serverName),
      version: release.version,
      audit: options => accounts.audit.list(options),
      findings: options => health.log(options),
      deliver: lines => deliver(collector, lines),
    })
    health.addSource('syslog', syslog.source)
    duties.push({ name: 'syslog', everyMs: syslogEveryMs, run: () => syslog.send() })
  }
  return { health, duties, close: () => ownProcess.close() }
}

/**
 * Memory, temperature and disks of the machine. Memory is what the system says now; where it does not, and for all else,
 * `machine-probe.ts` is asked: every five minutes at most, for disks once a day (SMART wakes a disk). What the machine does not
 * say is absent.
 */
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import { outputOf } from './child-program.ts'
import type { Finding, HealthSource, Reading } from './finding.ts'
import type { MachineAnswer } from './machine-probe.ts'

export type Memory = NonNullable<MachineAnswer['memory']>

export interface MachineDeps {
  readonly monotonic: () => number
  /** null: the probe knows. */
  readonly memoryNow: () => Memory | null
  readonly probe: (options: { readonly disks: boolean }) => Promise<MachineAnswer | null>
}

export interface Machine {
  readonly source: HealthSource
  readonly memory: Reading
  readonly temperature: Reading
  readonly disks: Reading
}

const freshMs = 5 * 60_000
/** A probe that did not come back: just after a start a slow machine has other things to do. */
const againMs = 15_000
const disksFreshMs = 24 * 3_600_000
const memoryWarnShare = 0.08
const memoryAlarmShare = 0.03
/** Processors slow themselves down from about 95 °C; disks are specified up to 60 or 70. */
const warnCelsius = 85
const alarmCelsius = 95

export function openMachine({ monotonic, memoryNow, probe }: MachineDeps): Machine {
  let asked: { readonly until: number; readonly answer: Promise<MachineAnswer | null> } | null = null
  let disks: { readonly at: number; readonly found: MachineAnswer['disks'] } | null = null

  /** One probe for all who ask; the disks are kept from the last that was asked for them. */
  async function look(): Promise<MachineAnswer> {
    const at = monotonic()
    if (!asked || at >= asked.until) {
      const withDisks = !disks || at - disks.at >= disksFreshMs
      const answer = probe({ disks: withDisks }).then(given => {
        if (withDisks && given) disks = { at, found: given.disks }
        if (given === null) asked = { until: monotonic() + againMs, answer }
        return given
      })
      asked = { until: at + freshMs, answer }
    }
    const answer = (await asked.answer) ?? {}
    return disks?.found === undefined ? answer : { ...answer, disks: disks.found }
  }

  const memoryOf = async () => memoryNow() ?? (await look()).memory

  return {
    source: async () => {
      const { temperatureCelsius, disks: all = [] } = await look()
      const memory = await memoryOf()
      const findings: Finding[] = []
      if (memory) {
        const share = memory.availableBytes / memory.totalBytes
        const facts = { available_bytes: memory.availableBytes, total_bytes: memory.totalBytes }
        if (share < memoryWarnShare) {
          findings.push({
            code: 'memory.short',
            severity: share < memoryAlarmShare ? 'alarm' : 'warning',
            facts,
          })
        }
      }
      if (temperatureCelsius !== undefined && temperatureCelsius >= warnCelsius) {
        const severity = temperatureCelsius >= alarmCelsius ? 'alarm' : 'warning'
        findings.push({ code: 'temperature.high', severity, facts: { celsius: temperatureCelsius } })
      }
      for (const { device, failing } of all) {
        if (failing) findings.push({ code: 'smart.failing', severity: 'alarm', subject: device, facts: {} })
      }
      return findings
    },
    memory: async () => {
      const memory = await memoryOf()
      if (!memory) return null
      return {
        total_bytes: memory.totalBytes,
        available_bytes: memory.availableBytes,
        server_bytes: process.memoryUsage.rss(),
      }
    },
    temperature: async () => {
      const { temperatureCelsius } = await look()
      return temperatureCelsius === undefined ? null : { celsius: temperatureCelsius }
    },
    disks: async () => {
      const { disks: all } = await look()
      if (all === undefined || all.length === 0) return null
      return {
        disks: all.map(({ device, failing, celsius }) => ({
          device,
          failing,
          ...(celsius === undefined ? {} : { celsius }),
        })),
      }
    },
  }
}

/** Linux counts as free what it can take back from its caches (MemAvailable); other systems do not. */
export function systemMemory(): Memory | null {
  return process.platform === 'linux' ? { totalBytes: totalmem(), availableBytes: freemem() } : null
}

const probeLimitMs = 8_000

export async function probeMachine({ disks }: { readonly disks: boolean }): Promise<MachineAnswer | null> {
  const program = join(import.meta.dirname, 'machine-probe.ts')
  const args = ['--max-old-space-size=64', '--no-warnings', program, ...(disks ? ['disks'] : [])]
  const output = await outputOf(process.execPath, args, probeLimitMs)
  try {
    return output === null ? null : (JSON.parse(output) as MachineAnswer)
  } catch {
    return null
  }
}

/**
 * A program of its own, started for one look at the machine: memory, temperature and, when asked with `disks`, what the
 * disks say of themselves (SMART). Writes one JSON line and ends.
 *
 * `systeminformation` runs other programs, some of them while everything waits (`execSync`): so it is never loaded into the
 * server, and whoever started this ends it, with all that it started, when it takes too long.
 */
import si from 'systeminformation'

export interface MachineAnswer {
  readonly memory?: { readonly totalBytes: number; readonly availableBytes: number }
  readonly temperatureCelsius?: number
  /** Device names; only those that SMART could be read of. */
  readonly disks?: readonly {
    readonly device: string
    readonly failing: boolean
    readonly celsius?: number
  }[]
}

const [memory, temperature, disks] = await Promise.all([
  si.mem().catch(() => null),
  si.cpuTemperature().catch(() => null),
  process.argv.includes('disks') ? si.diskLayout().catch(() => null) : null,
])
const known = disks?.filter(({ smartStatus }) => smartStatus === 'Ok' || smartStatus === 'Predicted Failure')
const answer: MachineAnswer = {
  ...(memory && memory.total > 0
    ? { memory: { totalBytes: memory.total, availableBytes: memory.available } }
    : {}),
  ...(isTemperature(temperature?.main) ? { temperatureCelsius: temperature.main } : {}),
  ...(known
    ? {
        disks: known.map(({ device, smartStatus, temperature: celsius }) => ({
          device,
          failing: smartStatus !== 'Ok',
          ...(isTemperature(celsius) ? { celsius } : {}),
        })),
      }
    : {}),
}
process.stdout.write(`${JSON.stringify(answer)}\n`)

/** What has no sensor says nothing, -1 or 0. */
function isTemperature(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 200
}

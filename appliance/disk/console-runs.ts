/** Is the console there to stay? One that dies at its start is started again every two seconds, and looks alive in between. */
import type { Machine } from './machine.ts'

const unit = 'letro-console@tty1.service'
const stableForUs = 8_000_000

export async function consoleRuns(
  { run }: Pick<Machine, 'run'>,
  /** Of the clock that counts from the start of the machine. */
  nowUs = Number(process.hrtime.bigint() / 1000n),
): Promise<boolean> {
  const { code, stdout } = await run('systemctl', [
    'show',
    '--property=ActiveState,ActiveEnterTimestampMonotonic',
    unit,
  ])
  const [, since] = /^ActiveEnterTimestampMonotonic=(\d+)$/m.exec(stdout) ?? []
  if (code !== 0 || !/^ActiveState=active$/m.test(stdout) || since === undefined) return false
  return nowUs - Number(since) >= stableForUs
}

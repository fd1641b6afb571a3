/** What a machine takes: logged by the tests, for README. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { Machine } from './machine.ts'
import type { People } from './people.ts'
import { settings } from './settings.ts'
import type { Site } from './site.ts'

/** What OVMF writes at the moment when it hands over to the boot loader. */
const handOver = 'BdsDxe: starting Boot'

/** From the firmware's hand-over to the first answer over HTTPS. */
export async function logFirstAnswer(t: ExecutionContext, machine: Machine, site: Site): Promise<void> {
  await site.answers(settings.bootMs)
  const now = performance.now()
  const from = machine.screen.lastAt(handOver)
  if (from === null) throw new Error('The firmware did not say that it hands over.')
  const { accelerator } = machine.options
  t.log(
    `first HTTPS answer ${seconds(now - from)} after the firmware handed over, ${seconds(now - machine.startedAt)} after power on (${accelerator})`,
  )
}

/** Of the whole system, with its site running and two people signed in, once the programs of the start are gone. */
export async function logIdleMemory(t: ExecutionContext, { site, amalsToken }: People): Promise<void> {
  const inUse = async () => {
    const { readings } = await site.ask('GET', '/_letro/admin/v1/health', undefined, amalsToken)
    const { total_bytes: total, available_bytes: available, server_bytes: server } = readings.memory
    return { total, server, all: total - available }
  }
  const atStart = await inUse()
  let now = atStart
  // As long as something still ends.
  for (let lowest = Infinity; now.all < lowest - 2e6; now = await inUse()) {
    lowest = now.all
    await sleep(15_000)
  }
  const { total, server, all } = now
  t.log(
    `memory in use ${megabytes(all)} of ${megabytes(total)}, the server ${megabytes(server)}; right after the start ${megabytes(atStart.all)}`,
  )
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`

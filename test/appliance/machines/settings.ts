/** What `npm run test:appliance` hands to the tests, and how patient they are. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Accelerator } from './accelerator.ts'
import { Machine, type MachineOptions } from './machine.ts'
import { Tools } from './tools.ts'

export interface Release {
  readonly version: string
  readonly image: string
  readonly update: string
}

/** As scripts/test-appliance.ts writes it. */
export interface Prepared {
  readonly tools: string
  readonly accelerator: Accelerator
  /** Machines are made in it; of those that failed it keeps the logs. */
  readonly folder: string
  readonly current: Release
  readonly next: Release
  /** Its server does not start. */
  readonly broken: Release
}

/** On a computer that has other things to do as well: LETRO_PATIENCE=4 waits four times as long. */
const patience = Number(process.env['LETRO_PATIENCE'] ?? 1)

/** Two cores emulate a machine of two: whatever takes longer than this does not happen any more. */
export const settings = {
  bootMs: 240_000 * patience,
  pageMs: 60_000 * patience,
  setUpMs: 240_000 * patience,
  updateMs: 240_000 * patience,
  rollBackMs: 600_000 * patience,
} as const

export function prepared(): Prepared {
  const file = process.env['LETRO_MACHINES']
  if (!file || !existsSync(file)) throw new Error('Machines are prepared by: npm run test:appliance')
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** The same chip, disk and firmware under one name, each time it is powered on. */
export function powerOn(name: string, options: Partial<MachineOptions> = {}): Promise<Machine> {
  const { tools, accelerator, folder, current } = prepared()
  const own = join(folder, name)
  mkdirSync(own, { recursive: true })
  return Machine.start({
    tools: new Tools(tools),
    accelerator,
    folder: own,
    image: current.image,
    ...options,
  })
}

/** After a test: a machine that is on is cut; what is wanted to understand a failure stays. */
export async function putAway(t: ExecutionContext, machine: Machine | undefined): Promise<void> {
  if (!machine) return
  if (!t.passed) {
    await machine.keepLast()
    t.log(`${machine.options.folder} keeps its logs; the screen was last:\n${machine.screen.text}`)
  }
  await machine.cut()
}

/**
 * New network settings on trial: in force at once, and gone again after two minutes unless somebody who still reaches the
 * machine confirms them.
 *
 * The trial lies in /run alone, and it is a timer of systemd that ends it by applying what network.json says. So it ends
 * whatever becomes of the console, and after a power cut it never was. Confirming writes network.json first: from
 * then on every way out leads to the new settings.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '#protocol/json.ts'
import { type NetworkSettings, networkJson, parseNetworkSettings } from '#protocol/network-settings.ts'
import { type Machine, MachineError, mustRun } from '../program.ts'
import { writeWhole } from '../whole-file.ts'
import { applyNetwork } from './apply.ts'
import { readNetwork, writeNetwork } from './settings.ts'

/** The unit's OnActiveSec says the same. */
export const trialSeconds = 120
const timer = 'letro-network-rollback.timer'

export interface Trial {
  readonly settings: NetworkSettings
  readonly endsTs: number
}

/** @throws MachineError; then the old settings are in force again */
export async function tryNetwork(machine: Machine, settings: NetworkSettings): Promise<Trial> {
  const trial = { settings, endsTs: Date.now() + trialSeconds * 1000 }
  // A trial during another one: its time begins again.
  await machine.run('systemctl', ['stop', timer])
  await mustRun(machine, 'systemctl', ['start', timer])
  mkdirSync(machine.paths.run, { recursive: true, mode: 0o755 })
  writeWhole(fileOf(machine), JSON.stringify({ settings: networkJson(settings), endsTs: trial.endsTs }))
  try {
    await applyNetwork(machine, settings)
  } catch (error) {
    await abandonNetwork(machine)
    throw error
  }
  return trial
}

/**
 * Keeps what is on trial; durable when it resolves.
 * @throws MachineError TRIAL_OVER, DATA_CLOSED
 */
export async function confirmNetwork(machine: Machine): Promise<void> {
  const trial = runningTrial(machine)
  if (!trial) {
    throw new MachineError(
      'TRIAL_OVER',
      'The two minutes were over: the old network settings are back. Try again.',
    )
  }
  try {
    writeNetwork(machine, trial.settings)
  } catch (cause) {
    throw new MachineError('DATA_CLOSED', 'Nothing can be kept: the data partition is not open, or full.', {
      cause,
    })
  }
  await machine.run('systemctl', ['stop', timer])
  endTrial(machine)
}

/**
 * The old settings are in force again. By the unit that the timer starts: when the time is over both come at once, and one of
 * them took away the files that the other was about to.
 */
export async function abandonNetwork(machine: Machine): Promise<void> {
  await machine.run('systemctl', ['stop', timer])
  await mustRun(machine, 'systemctl', ['start', 'letro-network.service'])
}

/** What that unit does. */
export async function restoreNetwork(machine: Machine): Promise<void> {
  endTrial(machine)
  await applyNetwork(machine, readNetwork(machine))
}

/** A console that was started again goes on with it. null: there is none. */
export function runningTrial(machine: Pick<Machine, 'paths'>): Trial | null {
  try {
    const json: unknown = JSON.parse(readFileSync(fileOf(machine), 'utf8'))
    if (!isObject(json) || typeof json['endsTs'] !== 'number') return null
    const parsed = parseNetworkSettings(json['settings'])
    return parsed.ok ? { settings: parsed.value, endsTs: json['endsTs'] } : null
  } catch {
    return null
  }
}

function endTrial(machine: Pick<Machine, 'paths'>): void {
  rmSync(fileOf(machine), { force: true })
}

function fileOf({ paths }: Pick<Machine, 'paths'>): string {
  return join(paths.run, 'network-trial.json')
}

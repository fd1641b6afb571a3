/**
 * What was decided about this machine's network and time: network.json and time.json in the settings folder on the data
 * partition (root alone). While that is closed, or nothing was decided, the defaults hold: every Ethernet port asks for its
 * addresses, and nobody is asked for the time.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultNetwork,
  type NetworkSettings,
  networkJson,
  type Parsed,
  parseNetworkSettings,
} from '#protocol/network-settings.ts'
import { parseTimeSettings, type TimeSettings, timeJson } from '#protocol/time-settings.ts'
import { type Machine, MachineError } from '../program.ts'
import { writeWhole } from '../whole-file.ts'

type Settings = Pick<Machine, 'paths'>

/** @throws MachineError SETTINGS_DAMAGED */
export function readNetwork(machine: Settings): NetworkSettings {
  return read(machine, 'network.json', parseNetworkSettings) ?? defaultNetwork
}

/** @throws MachineError SETTINGS_DAMAGED */
export function readTime(machine: Settings): TimeSettings {
  return read(machine, 'time.json', parseTimeSettings) ?? { servers: [], nts: false }
}

/** Durable. Whoever changes the network tries it first (trial.ts). */
export function writeNetwork(machine: Settings, settings: NetworkSettings): void {
  write(machine, 'network.json', networkJson(settings))
}

/** Durable. */
export function writeTime(machine: Settings, settings: TimeSettings): void {
  write(machine, 'time.json', timeJson(settings))
}

function read<T>(
  { paths }: Settings,
  name: string,
  parse: (json: unknown, field: string) => Parsed<T>,
): T | null {
  let text: string
  try {
    text = readFileSync(join(paths.settings, name), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw damaged(name, error)
  }
  const parsed = parse(jsonOf(text), '')
  if (parsed.ok) return parsed.value
  throw damaged(
    name,
    new Error(parsed.problems.map(({ field, sentence }) => `${field}: ${sentence}`).join('; ')),
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function write({ paths }: Settings, name: string, json: object): void {
  mkdirSync(paths.settings, { recursive: true, mode: 0o700 })
  writeWhole(join(paths.settings, name), `${JSON.stringify(json, null, 2)}\n`)
}

function damaged(name: string, cause: unknown): MachineError {
  return new MachineError(
    'SETTINGS_DAMAGED',
    `${name} cannot be read: the defaults hold until it is set again.`,
    { cause },
  )
}

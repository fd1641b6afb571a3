/** What firmware and boot loader tell by EFI variables. Absent ones, and machines without EFI, are null. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './machine.ts'

const vendors = {
  loader: '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f',
  global: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
} as const

const names = {
  /** The ESP that we were started from. */
  LoaderDevicePartUUID: 'loader',
  SecureBoot: 'global',
  SetupMode: 'global',
} as const satisfies Record<string, keyof typeof vendors>

export type EfiVariable = keyof typeof names

/** Its value, without the four bytes of attributes before it. */
export async function efiVariable(
  machine: Pick<Machine, 'root'>,
  name: EfiVariable,
): Promise<Uint8Array | null> {
  const file = join(machine.root, '/sys/firmware/efi/efivars', `${name}-${vendors[names[name]]}`)
  try {
    const bytes = await readFile(file)
    return bytes.length < 5 ? null : bytes.subarray(4)
  } catch {
    return null
  }
}

export async function efiText(machine: Pick<Machine, 'root'>, name: EfiVariable): Promise<string | null> {
  const bytes = await efiVariable(machine, name)
  if (!bytes) return null
  return new TextDecoder('utf-16le').decode(bytes).replace(/\0[\s\S]*$/, '')
}

export async function efiFlag(machine: Pick<Machine, 'root'>, name: EfiVariable): Promise<boolean | null> {
  const bytes = await efiVariable(machine, name)
  return bytes ? bytes[0] === 1 : null
}

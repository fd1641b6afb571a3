/** What a LUKS2 header says: whether the data was ever finished, and what opens it. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { WaysToOpen } from './disk-state.ts'
import { type Machine, must } from './machine.ts'

export const dataLabel = 'letro-data'
export const tokenTypes = {
  recoveryKey: 'systemd-recovery',
  passphrase: 'letro-passphrase',
  tpm: 'systemd-tpm2',
} as const
export type Way = keyof typeof tokenTypes

export interface LuksHeader {
  readonly id: string
  readonly label: string | null
  /** All that are in use. */
  readonly keyslots: readonly number[]
  readonly slotsOf: Readonly<Record<Way, readonly number[]>>
  readonly tokensOf: Readonly<Record<Way, readonly number[]>>
  /** What the TPM's slot is bound to by value. */
  readonly boundPcrs: readonly number[]
}

/** Null: there is no (readable) header. cryptsetup takes the second copy where the first is damaged. */
export async function readLuksHeader(
  machine: Pick<Machine, 'run'>,
  device: string,
): Promise<LuksHeader | null> {
  const { code } = await machine.run('cryptsetup', ['isLuks', '--type', 'luks2', device])
  if (code !== 0) return null
  const shown = await must(machine, 'cryptsetup', ['luksDump', device])
  const json = await must(machine, 'cryptsetup', ['luksDump', '--dump-json-metadata', device])
  return parseLuksHeader(shown, JSON.parse(json))
}

export function parseLuksHeader(shown: string, json: unknown): LuksHeader {
  const field = (name: string) => {
    const value = new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(shown)?.[1]?.trim() ?? ''
    return value === '' || value === '(no label)' ? null : value
  }
  const keyslots = memberObject(json, 'keyslots')
  const tokens = Object.entries(memberObject(json, 'tokens')).flatMap(([number, token]) =>
    isObject(token) ? [{ number: Number(number), token }] : [],
  )
  const withType = (way: Way) => tokens.filter(({ token }) => token['type'] === tokenTypes[way])
  const slots = (way: Way) => withType(way).flatMap(({ token }) => numbers(token['keyslots']))
  const each = <T>(of: (way: Way) => T): Record<Way, T> => ({
    recoveryKey: of('recoveryKey'),
    passphrase: of('passphrase'),
    tpm: of('tpm'),
  })
  return {
    id: field('UUID') ?? '',
    label: field('Label'),
    keyslots: Object.keys(keyslots).map(Number),
    slotsOf: each(slots),
    tokensOf: each(way => withType(way).map(({ number }) => number)),
    boundPcrs: withType('tpm').flatMap(({ token }) => numbers(token['tpm2-pcrs'])),
  }
}

export function waysToOpen({ slotsOf, keyslots }: LuksHeader): WaysToOpen {
  const isThere = (slots: readonly number[]) => slots.some(slot => keyslots.includes(slot))
  return {
    tpm: isThere(slotsOf.tpm),
    recoveryKey: isThere(slotsOf.recoveryKey),
    passphrase: isThere(slotsOf.passphrase),
  }
}

function memberObject(json: unknown, name: string): JsonObject {
  const value = isObject(json) ? json[name] : null
  return isObject(value) ? value : {}
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(Number).filter(Number.isInteger) : []
}

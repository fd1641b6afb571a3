/**
 * The machine report: what an appliance says of itself, in /run/letro/machine.json. Written by appliance/disk, read by the server
 * (health) and by the console.
 *
 * It names no person and holds no secret. What is unknown is null, never a guess.
 */
import { isObject, type Json } from './json.ts'

export interface MachineReport {
  readonly release: ReportedRelease
  readonly slots: {
    /** Which of the two runs; null: not started from a disk of ours. */
    readonly running: 'a' | 'b' | null
    /** Every kernel image that is there. */
    readonly images: readonly ReportedImage[]
  }
  readonly secureBoot: SecureBootState
  readonly tpm: 'present' | 'absent'
  readonly data: ReportedData
  /** null: not looked at. */
  readonly clock: ReportedClock | null
}

export interface ReportedRelease {
  readonly version: string
  readonly counter: number
  readonly architecture: string
  /** Built without the keys of a publisher: for trying only. */
  readonly development: boolean
}

export interface ReportedImage {
  readonly version: string
  readonly state: ImageState
  /** How many more starts that come to nothing it has; null: they are not counted. */
  readonly triesLeft: number | null
  readonly running: boolean
}

/**
 * good: it proved itself · trying: it has not yet · bad: it was started as often as it may be, and came to nothing (a release that is
 * broken, or a slot that was damaged): the other one runs.
 */
export const imageStates = ['good', 'trying', 'bad'] as const
export type ImageState = (typeof imageStates)[number]

/** setup: the firmware waits for keys · unsupported: this firmware has no such thing. */
export const secureBootStates = ['on', 'off', 'setup', 'unsupported'] as const
export type SecureBootState = (typeof secureBootStates)[number]

export const dataStates = ['unknown', 'new', 'open', 'locked', 'damaged'] as const
export interface ReportedData {
  readonly state: (typeof dataStates)[number]
  /** How it was opened at this start. */
  readonly openedBy: 'tpm' | 'recovery-key' | 'passphrase' | 'creation' | null
  /** It is sealed to a TPM, so that nobody has to be there at a start. */
  readonly sealed: boolean
}

const openers = ['tpm', 'recovery-key', 'passphrase', 'creation'] as const

/** As found at the start. behind: it was set forward · ahead: in doubt until somebody confirms it. */
export const clockStates = ['fine', 'behind', 'ahead'] as const
export type ReportedClock = (typeof clockStates)[number]

/** Null: this is no machine report, or one of a form that is not known here. */
export function parseMachineReport(json: unknown): MachineReport | null {
  if (!isObject(json)) return null
  const release = parseReportedRelease(json['release'])
  const slots = parseSlots(json['slots'])
  const data = parseData(json['data'])
  const { secureBoot, tpm, clock } = json
  if (!release || !slots || !data) return null
  if (!isOneOf(secureBootStates, secureBoot) || !isOneOf(['present', 'absent'] as const, tpm)) return null
  if (clock !== null && !isOneOf(clockStates, clock)) return null
  return { release, slots, secureBoot, tpm, data, clock }
}

/** A release that the machine went back from. Null: there is none. */
export function failedImage({ slots }: MachineReport): ReportedImage | null {
  return slots.images.find(({ state }) => state === 'bad') ?? null
}

/** Of release.json as well. */
export function parseReportedRelease(json: Json | undefined): ReportedRelease | null {
  if (!isObject(json)) return null
  const { version, counter, architecture, development } = json
  if (typeof version !== 'string' || typeof architecture !== 'string') return null
  if (!Number.isSafeInteger(counter) || typeof development !== 'boolean') return null
  return { version, counter: counter as number, architecture, development }
}

function parseSlots(json: Json | undefined): MachineReport['slots'] | null {
  if (!isObject(json)) return null
  const { running, images } = json
  if (running !== null && running !== 'a' && running !== 'b') return null
  if (!Array.isArray(images)) return null
  const known = images.map(parseImage)
  return known.includes(null) ? null : { running, images: known as ReportedImage[] }
}

function parseImage(json: Json): ReportedImage | null {
  if (!isObject(json)) return null
  const { version, state, triesLeft, running } = json
  if (typeof version !== 'string' || typeof running !== 'boolean') return null
  if (!isOneOf(imageStates, state)) return null
  if (triesLeft !== null && !Number.isSafeInteger(triesLeft)) return null
  return { version, state, triesLeft: triesLeft as number | null, running }
}

function parseData(json: Json | undefined): ReportedData | null {
  if (!isObject(json)) return null
  const { state, openedBy, sealed } = json
  if (!isOneOf(dataStates, state) || typeof sealed !== 'boolean') return null
  if (openedBy !== null && !isOneOf(openers, openedBy)) return null
  return { state, openedBy, sealed }
}

function isOneOf<T extends string>(list: readonly T[], value: unknown): value is T {
  return (list as readonly unknown[]).includes(value)
}

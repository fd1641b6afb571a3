/**
 * How updates of the appliance stand: what the updater says over its socket, the server passes on, and the app, the command
 * line and the console show. Only on an appliance.
 */
import { isObject, type JsonObject } from './json.ts'

/** Why an update was refused or failed: each place that shows one has a sentence for it. */
export const updateErrorCodes = [
  // The file.
  'UPDATE_NOT_ONE',
  'UPDATE_NEWER_FORMAT',
  'UPDATE_MALFORMED',
  'UPDATE_UNKNOWN_KEY',
  'UPDATE_FORGED',
  'UPDATE_TRUNCATED',
  'UPDATE_TRAILING',
  'UPDATE_DAMAGED',
  'UPDATE_CHANGED',
  'UPDATE_UNREADABLE',
  // The file, and this machine.
  'UPDATE_OTHER_PRODUCT',
  'UPDATE_OTHER_ARCHITECTURE',
  'UPDATE_RUNNING_ALREADY',
  'UPDATE_OLDER',
  'UPDATE_ROLLBACK',
  'UPDATE_NEEDS_ANOTHER_FIRST',
  'UPDATE_TOO_LARGE',
  // This machine.
  'UPDATE_NO_SLOT',
  /** The running version has not yet proved itself: the other slot is what to fall back to. */
  'UPDATE_ON_TRIAL',
  'UPDATE_ESP_FULL',
  /** The running version's kernel image is not where it should be. */
  'UPDATE_ESP',
  'UPDATE_DISK',
  'UPDATE_SETTINGS',
  'UPDATE_NOT_APPLIED',
  'UPDATE_BUSY',
  'UPDATE_BAD_REQUEST',
] as const
export type UpdateErrorCode = (typeof updateErrorCodes)[number]

export const updateSteps = ['check', 'clear', 'root', 'verity', 'table', 'uki'] as const
export type UpdateStep = (typeof updateSteps)[number]

/** interrupted: the power went, or the updater did, while it was being written. */
export const updateEventKinds = ['applied', 'runs', 'went-back', 'interrupted', 'refused'] as const
export type UpdateEventKind = (typeof updateEventKinds)[number]

export interface UpdateUnderway {
  readonly act: 'check' | 'apply'
  readonly step: UpdateStep
  readonly bytes: number
  readonly of: number
}

export interface UpdateEvent {
  readonly ts: number
  readonly kind: UpdateEventKind
  readonly version?: string
  readonly code?: string
  readonly sentence?: string
}

export interface UpdateStatus {
  readonly running: { readonly version: string; readonly counter: number; readonly architecture: string }
  /** null: the system does not run from a slot. */
  readonly slot: 'a' | 'b' | null
  /** The running version has only just started: it may still go back to the one before. */
  readonly on_trial: boolean
  /** "02:00-04:00", by the clock of the machine; null: it never restarts by itself. */
  readonly window: string | null
  /** Written, and not running yet. */
  readonly waiting: { readonly version: string; readonly ts: number } | null
  /** The machine tried it and came back. */
  readonly went_back: { readonly version: string; readonly ts: number } | null
  readonly underway: UpdateUnderway | null
  /** Oldest first. */
  readonly events: readonly UpdateEvent[]
  /** The folder from which the updater takes what was uploaded. */
  readonly spool: string
}

/** null: it is not one. What came is a program of ours, so the outside alone is looked at. */
export function parseUpdateStatus(value: unknown): UpdateStatus | null {
  if (!isObject(value) || !isObject(value['running']) || !Array.isArray(value['events'])) return null
  return typeof value['running']['version'] === 'string' && typeof value['spool'] === 'string'
    ? (value as JsonObject as unknown as UpdateStatus)
    : null
}

export function isUpdateErrorCode(code: unknown): code is UpdateErrorCode {
  return (updateErrorCodes as readonly unknown[]).includes(code)
}

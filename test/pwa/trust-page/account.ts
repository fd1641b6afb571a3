/** Stands in for pwa/views/account.ts in tests of views: the same signals, and a worker that answers from a table. */
import { computed, signal } from '@preact/signals'
import type { RoomEntry } from '../../../pwa/sync/room-entry.ts'
import type { Connection, SessionState } from '../../../pwa/worker/calls.ts'
import type { OwnerState } from '../../../pwa/worker/owner.ts'
import { answers, notify, roomEntry, us } from './answers.ts'

export type Notice = Parameters<Parameters<typeof onNotice>[0]>[0]

export const account = signal<string | null>(us)
export const ownerState = signal<OwnerState | null>({
  vault: 'open',
  engine: true,
  waysIn: [
    { id: 'a', kind: 'passkey', credentialId: 'AAAA' },
    { id: 'b', kind: 'passphrase' },
  ],
  inMemory: false,
  full: false,
  damaged: [],
})
export const isWaiting = signal(false)
export const session = signal<SessionState | null>({
  userId: us,
  deviceId: 'OURDEVICE',
  serverName: 'clinic.example',
  displayName: 'Amal Nasser',
  avatar: null,
  isAdministrator: true,
  setup: 'ready',
})
export const connection = signal<Connection>({ state: 'online', code: null, lastTs: 1, firstSyncDone: true })
export const rooms = signal<ReadonlyMap<string, RoomEntry> | null>(new Map([[roomEntry.roomId, roomEntry]]))
export const sessionEnded = signal<'revoked' | 'expired' | null>(null)
export const ourUserId = computed(() => us)

/** What was asked, for tests to read. */
export const asked: { readonly name: string; readonly argument: unknown }[] = []
Object.assign(globalThis, { asked, notify })

export async function call(name: string, argument: unknown): Promise<unknown> {
  asked.push({ name, argument })
  const answer = answers[name]
  if (!answer) throw Object.assign(new Error(`no answer to ${name}`), { code: 'OFFLINE' })
  return answer(argument as never)
}

export function onNotice(listener: (notice: { kind: string; [more: string]: unknown }) => void): () => void {
  notify.listeners.add(listener as never)
  return () => notify.listeners.delete(listener as never)
}

export const openAccount = () => null
export const forgetAccount = () => {}
export const accountClient = () => null
export const readAccount = async () => {}

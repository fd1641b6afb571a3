/**
 * The account as this tab knows it: what the worker said last, as signals, and the way to ask it.
 *
 * Which account this browser has is kept in the clear (`org.letro.account`), so that a lock screen can name it; on a
 * shared computer nothing is.
 */
import { computed, signal } from '@preact/signals'
import { forgetText, keepText, keptText } from '../i18n/kept-text.ts'
import type { RoomEntry } from '../sync/room-entry.ts'
import { AccountClient } from '../worker/account-client.ts'
import type { AppNotice, Connection, SessionState } from '../worker/calls.ts'
import { isInTheWay } from '../worker/damaged.ts'
import type { OwnerNotice, OwnerState } from '../worker/owner.ts'
import { accountsHere } from '../worker/ownership.ts'
import { endRinging } from './notifications-shown.ts'
import { scriptUrl } from './trusted-types.ts'

export type Notice = OwnerNotice | AppNotice
type Listener = (notice: Notice) => void

const storedAs = 'org.letro.account'

/** A user id; null: this browser has no account. */
export const account = signal<string | null>(keptText(storedAs))
export const ownerState = signal<OwnerState | null>(null)
/** A worker of another release still owns the account. */
export const isWaiting = signal(false)
export const session = signal<SessionState | null>(null)
export const connection = signal<Connection>({
  state: 'connecting',
  code: null,
  lastTs: 0,
  firstSyncDone: false,
})
/** By room id; null: not read yet. */
export const rooms = signal<ReadonlyMap<string, RoomEntry> | null>(null)
export const sessionEnded = signal<'revoked' | 'expired' | null>(null)
export const ourUserId = computed(() => session.value?.userId ?? account.value ?? '')

let client: AccountClient | null = null
let isAlone = false
const listeners = new Set<Listener>()

/**
 * Browsers write `localStorage` when they come to it: one that was killed soon after the sign-in has the vault, and
 * has forgotten whose it is.
 */
export async function recallAccount(): Promise<void> {
  if (account.peek() !== null) return
  const [only, ...others] = await accountsHere().catch(() => [])
  if (only !== undefined && others.length === 0) account.value = only
}

/** Reaches the worker of this account. `keep`: the browser remembers that it has it. */
export function openAccount(userId: string, { keep }: { readonly keep: boolean }): AccountClient {
  if (client && account.peek() === userId) return client
  account.value = userId
  if (keep) keepText(storedAs, userId)
  const opened = new AccountClient(userId, {
    onNotice: receive,
    scriptUrl,
    withoutSharedWorker: isAlone,
    // Who opens it next tries a worker of this tab alone: browsers hand out a shared one that did not start once more.
    onFailed: () => {
      isAlone = true
      if (client === opened) client = null
    },
  })
  client = opened
  return client
}

/** After everything was wiped. */
export function forgetAccount(): void {
  forgetText(storedAs)
  client = null
  account.value = null
  ownerState.value = null
  session.value = null
  rooms.value = null
  endRinging().catch(() => {})
}

export const call: AccountClient['call'] = (name, argument, transfer) => {
  if (!client) throw new Error('no account is open')
  return client.call(name, argument, transfer)
}

export function accountClient(): AccountClient | null {
  return client
}

/** Hears all notices; returns how to stop. */
export function onNotice(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What the signals stand on: asked once the vault is open, then kept up by notices. */
export async function readAccount(): Promise<void> {
  ownerState.value = await call('state', null)
  isWaiting.value = false
  // What is damaged and in the way answers nothing about the session either.
  const { vault, damaged } = ownerState.value
  if (vault !== 'open' || damaged.some(each => isInTheWay(each, account.peek() ?? ''))) return
  session.value = await call('session', null)
  if (!session.value) return
  connection.value = await call('connection', null)
  const entries = await call('rooms', null)
  rooms.value = new Map(entries.map(entry => [entry.roomId, entry]))
}

function receive(notice: Notice): void {
  switch (notice.kind) {
    case 'state':
      ownerState.value = notice.state
      isWaiting.value = false
      if (notice.state.vault !== 'open') {
        session.value = null
        rooms.value = null
      }
      break
    case 'waiting':
      isWaiting.value = true
      break
    case 'session':
      session.value = notice.session
      break
    case 'session-ended':
      sessionEnded.value = notice.why
      break
    case 'connection':
      connection.value = notice.connection
      break
    case 'rooms': {
      const next = new Map(rooms.peek() ?? [])
      for (const roomId of notice.gone) next.delete(roomId)
      for (const entry of notice.changed) next.set(entry.roomId, entry)
      rooms.value = next
      break
    }
  }
  for (const listener of listeners) listener(notice)
}

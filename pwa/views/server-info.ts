/** What the server says of itself to anybody: `GET /_letro/client/v1/app`. Read once a page; read again when asked. */
import { signal } from '@preact/signals'
import { isObject, type Json } from '#protocol/json.ts'

export interface ServerInfo {
  readonly serverName: string
  readonly push: { readonly allowed: boolean; readonly vapidPublicKey: string | null }
  /** Whether people see who is there. */
  readonly hasPresence: boolean
  /** A device without contact for so long locks itself; 0: never. */
  readonly lockAfterDays: number
  /** Who is signed in by one click; none where this is no demonstration. */
  readonly demo: readonly DemoPerson[]
}

export interface DemoPerson {
  readonly userId: string
  readonly name: string
  readonly role: string
}

/** Null: not known yet. */
export const serverInfo = signal<ServerInfo | null>(null)

export async function readServerInfo(): Promise<void> {
  const response = await fetch('/_letro/client/v1/app', { signal: AbortSignal.timeout(15_000) })
  if (response.ok) serverInfo.value = parseServerInfo((await response.json()) as Json)
}

export function isDemo(): boolean {
  return (serverInfo.value?.demo.length ?? 0) > 0
}

/** What is missing is not allowed. */
export function parseServerInfo(answer: Json): ServerInfo {
  const { server_name: serverName, push, presence, policy, demo } = isObject(answer) ? answer : {}
  const { allowed, vapid_public_key: key } = isObject(push) ? push : {}
  const days = isObject(policy) ? policy['lock_after_days'] : 0
  return {
    serverName: typeof serverName === 'string' ? serverName : '',
    push: {
      allowed: allowed === true && typeof key === 'string',
      vapidPublicKey: typeof key === 'string' ? key : null,
    },
    hasPresence: isObject(presence) && presence['enabled'] === true,
    lockAfterDays: typeof days === 'number' && days > 0 ? days : 0,
    demo: isObject(demo) && Array.isArray(demo['people']) ? demo['people'].flatMap(demoPerson) : [],
  }
}

function demoPerson(person: Json): DemoPerson[] {
  if (!isObject(person) || typeof person['user_id'] !== 'string') return []
  const { user_id: userId, name, role } = person
  return [
    {
      userId,
      name: typeof name === 'string' ? name : userId,
      role: typeof role === 'string' ? role : '',
    },
  ]
}

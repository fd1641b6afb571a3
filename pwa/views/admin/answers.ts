/** What the administration API answers, as it writes it: server/admin-api/README.md. Only what the view shows. */
import type { Finding } from '#protocol/finding.ts'
import type { JsonObject } from '#protocol/json.ts'

export const kinds = ['member', 'administrator', 'external', 'service'] as const
export type Kind = (typeof kinds)[number]

export interface PersonAnswer {
  readonly user_id: string
  readonly kind: Kind
  readonly created_ts: number
  readonly locked: boolean
  readonly suspended: boolean
  /** Which state of the account this is: an act that names it is refused where another one stands. */
  readonly version: string
  readonly deactivated_ts?: number
  readonly expires_ts?: number
  readonly expired?: boolean
  readonly sponsor?: string
  readonly displayname?: string
}

export interface OnePerson extends PersonAnswer {
  readonly passkeys: number
  readonly devices: number
  readonly link?: OpenLink
}

export interface OpenLink {
  readonly id: string
  readonly user_id: string
  readonly purpose: 'enrol' | 're-enrol' | 'recover' | 'first-administrator'
  readonly kind: Kind
  readonly created_ts: number
  readonly created_by: string
  readonly expires_ts: number
  readonly displayname?: string
}

export interface NewLink {
  readonly id: string
  readonly user_id: string
  readonly link: string
  readonly code?: string
  readonly expires_ts: number
}

export interface RoomAnswer {
  readonly room_id: string
  readonly name: string | null
  readonly space: boolean
  readonly encrypted: boolean
  readonly version: string
  readonly joined: number
  readonly invited: number
  readonly servers: readonly { readonly server: string; readonly joined: number }[]
  readonly powerful: readonly { readonly user_id: string; readonly level: number | null }[]
  readonly power: 'here' | 'elsewhere' | 'nobody'
  readonly frozen?: { readonly server: string; readonly by: string; readonly since_ts: number }
  readonly way_back?: { readonly through: string | null; readonly ask: readonly string[] }
}

export const directions = ['both', 'inbound', 'outbound', 'verify-only'] as const
export type Direction = (typeof directions)[number]

export interface PeerAnswer {
  readonly server_name: string
  readonly kind: 'site' | 'homeserver'
  readonly suspended: boolean
  readonly after_repair?: boolean
  readonly direction: Direction
  readonly transport: 'https' | 'bundle'
  readonly address: { readonly host: string; readonly port: number }
  readonly fingerprint: readonly string[]
  readonly serial?: number
  readonly issued_ts?: number
  readonly signing_keys: readonly { readonly id: string; readonly expired_ts?: number }[]
  readonly residency?: string
  readonly note?: string
  readonly pinned_by: string
  readonly pinned_ts: number
  readonly changed_by: string
  readonly changed_ts: number
  readonly version: string
  readonly conflict?: { readonly serial: number; readonly seen_ts: number }
  readonly outbound?: {
    readonly length: number
    readonly oldest_ts?: number
    readonly last_error?: string
    readonly next_try_ts?: number
  }
}

/** What a card says that was looked at. */
export interface CardAnswer {
  readonly server_name: string
  readonly fingerprint: readonly string[]
  readonly serial: number
  readonly issued_ts: number
  readonly residency?: string
  readonly address: { readonly host: string; readonly port: number }
  readonly pinned: PeerAnswer | null
}

export interface FindingAnswer extends Finding {
  readonly since_ts: number
}

export interface HealthAnswer {
  readonly ts: number
  readonly state: 'ok' | 'note' | 'warning' | 'alarm'
  readonly findings: readonly FindingAnswer[]
  readonly readings: Readonly<Record<string, JsonObject>>
}

export interface AuditEntry {
  readonly sequence: number
  readonly ts: number
  readonly actor: string
  readonly action: string
  readonly target?: string
  readonly detail?: JsonObject
  readonly hash: string
}

export interface ReportAnswer {
  readonly id: number
  readonly ts: number
  readonly kind: 'room' | 'event' | 'user'
  readonly reporter: string
  readonly room_id?: string
  readonly event_id?: string
  readonly user_id?: string
  readonly reason: string
}

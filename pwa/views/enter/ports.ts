/** What the way in needs of the worker, the passkeys, the server and the browser. Wired in flow.ts; tests have their own. */
import type { JsonObject } from '#protocol/json.ts'
import type { AccountClient } from '../../worker/account-client.ts'
import type { AppNotice, NewSession, SessionState } from '../../worker/calls.ts'
import type { OwnerNotice, OwnerState } from '../../worker/owner.ts'
import type { MadePasskey, PasskeyOpener } from '../passkey-gesture.ts'
import type { Arrival } from './link.ts'
import type { DemoSignIn, Invitation, SignedIn } from './server.ts'
import type { LastFacts } from './stage.ts'
import type { Missing } from './support.ts'

export type EntryNotice = OwnerNotice | AppNotice

export interface EntryPorts {
  readonly account: AccountPort
  readonly passkeys: PasskeyPort
  readonly server: ServerPort
  readonly browser: BrowserPort
}

export interface AccountPort {
  /** Whose vault this browser has; null: nobody's. */
  userId(): string | null
  ownerState(): OwnerState | null
  session(): SessionState | null
  open(userId: string, how: { readonly keep: boolean }): void
  /** Asks the worker for everything that the page shows. */
  read(): Promise<void>
  forget(): void
  readonly call: AccountClient['call']
  onNotice(listener: (notice: EntryNotice) => void): void
  /** The session ran out, or is there again. */
  setEnded(why: 'revoked' | 'expired' | null): void
}

export interface PasskeyPort {
  available(): boolean
  create(options: JsonObject): Promise<MadePasskey>
  use(options: JsonObject): Promise<{ readonly assertion: JsonObject; readonly opener: PasskeyOpener | null }>
  openerOf(credentialIds: readonly string[]): Promise<PasskeyOpener | null>
  confirmed<T>(act: (auth: JsonObject | null, opener: PasskeyOpener | null) => Promise<T>): Promise<T>
  /** A passkey signs the keys of this device. */
  enrolDevice(): Promise<void>
}

export interface ServerPort {
  beginInvitation(secret: string): Promise<Invitation>
  completeInvitation(secret: string, attestation: JsonObject, name: string): Promise<SignedIn>
  signInOptions(): Promise<JsonObject>
  signIn(proof: JsonObject, name: string, deviceId: string | null): Promise<SignedIn>
  signOut(session: NewSession): Promise<void>
  beginPasskey(session: NewSession): Promise<JsonObject>
  completePasskey(session: NewSession, attestation: JsonObject, name: string): Promise<void>
  demoSignIn(userId: string): Promise<DemoSignIn>
  /** After how many days without contact a device locks; 0: never; null: the server cannot be asked. */
  lockAfterDays(): Promise<number | null>
  /** People who are signed in by one click; none where this is no demonstration. */
  demoPeople(): Promise<readonly string[]>
}

export interface BrowserPort {
  /** Reads the address once: a secret in it leaves the address bar and the history. */
  takeArrival(): Arrival
  missing(): Promise<Missing | null>
  mustInstallFirst(): boolean
  suggestedName(): string
  askForPersistence(): Promise<boolean>
  lastFacts(how: { readonly isFirst: boolean }): Promise<LastFacts>
  now(): number
  /** Ends at once when `wake` is called. */
  pause(ms: number): { readonly over: Promise<void>; wake(): void }
  /** No two tabs at a time. */
  alone<T>(act: () => Promise<T>): Promise<T>
}

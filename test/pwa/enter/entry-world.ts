/** A browser, a server and a worker small enough to hold in one's head: for tests of the way in. */
import type { JsonObject } from '#protocol/json.ts'
import { VaultError } from '../../../pwa/vault/errors.ts'
import { Entry } from '../../../pwa/views/enter/entry.ts'
import type { Arrival } from '../../../pwa/views/enter/link.ts'
import type { EntryNotice, EntryPorts } from '../../../pwa/views/enter/ports.ts'
import type { SignedIn } from '../../../pwa/views/enter/server.ts'
import type { LastFacts } from '../../../pwa/views/enter/stage.ts'
import type { PasskeyOpener } from '../../../pwa/views/passkey-gesture.ts'
import type { IdentityState, NewSession, SessionState } from '../../../pwa/worker/calls.ts'
import type { OwnerState } from '../../../pwa/worker/owner.ts'

export const amal = '@amal:clinic.example'
const noFacts: LastFacts = { mayConfirm: false, isOnlyPasskey: false, isKept: true, rings: true }

/** The passkey that the person reaches for. */
export interface Key {
  id: string
  /** Null: without PRF. */
  prf: 'on create' | 'on get' | null
}

interface Vault {
  state: 'locked' | 'open'
  /** `passkey KEY`, `passphrase WORDS`, `recovery-text TEXT` */
  openers: string[]
  session: NewSession | null
  settings: Map<string, JsonObject>
  inMemory: boolean
}

export class EntryWorld {
  now = 1_800_000_000_000
  arrival: Arrival = { kind: 'none' }
  account: string | null = null
  vault: Vault | null = null
  key: Key = { id: 'key-1', prf: 'on create' }
  /** Whose passkey it is, at the server. */
  owner = amal
  /** Whom the invitation is for. */
  invited = amal
  isDeclining = false
  identity: 'none' | 'locked' | 'ready' | 'unknown' = 'none'
  identityPasskeys: string[] = []
  facts = noFacts
  lockAfterDays = 0
  demo: string[] = []
  /** The server takes what is asked of it, and answers nothing. */
  hangs = false
  mustInstall = false
  /** What is refused, by its name, with a code. */
  readonly refusals = new Map<string, string>()
  /** What was called of server and worker, in order. */
  readonly calls: string[] = []
  ended: string | null = null
  #devices = 0
  #ownerState: OwnerState | null = null
  #session: SessionState | null = null
  #listener: (notice: EntryNotice) => void = () => {}
  readonly entry: Entry

  constructor() {
    this.entry = new Entry(this.#ports())
  }

  get stage(): string {
    return this.entry.stage.value.kind
  }

  /** A vault that is here from before. */
  leftHere(openers: string[], deviceId: string | null, state: Vault['state'] = 'locked'): void {
    this.account = amal
    const session =
      deviceId === null
        ? null
        : { origin: '', deviceId, accessToken: 't', refreshToken: null, expiresInMs: null }
    this.vault = { state, openers, session, settings: new Map(), inMemory: false }
  }

  async tell(notice: EntryNotice): Promise<void> {
    this.#listener(notice)
    await new Promise(resolve => setImmediate(resolve))
  }

  async tellState(): Promise<void> {
    this.#ownerState = this.#state()
    if (this.#ownerState.vault !== 'open') this.#session = null
    await this.tell({ kind: 'state', state: this.#ownerState })
  }

  #state(): OwnerState {
    const { vault } = this
    return {
      vault: vault?.state ?? 'none',
      engine: false,
      waysIn: [],
      inMemory: vault?.inMemory ?? false,
      full: false,
      damaged: [],
    }
  }

  #do(name: string): void {
    this.calls.push(name)
    const code = this.refusals.get(name)
    if (code === undefined) return
    this.refusals.delete(name)
    throw new VaultError(code, `refused by the test: ${name}`)
  }

  #signedIn(deviceId: string | null): SignedIn {
    const id = deviceId ?? `DEVICE${++this.#devices}`
    const session = {
      origin: '',
      deviceId: id,
      accessToken: `token of ${id}`,
      refreshToken: null,
      expiresInMs: null,
    }
    return { userId: this.owner, session }
  }

  #opener(when: Key['prf']): PasskeyOpener | null {
    const { id, prf } = this.key
    const isGiven = prf !== null && (when === 'on get' || prf === when)
    return isGiven ? { kind: 'passkey', credentialId: id, prfOutput: new Uint8Array(32).fill(7) } : null
  }

  readonly #worker: Record<string, (argument: never) => unknown> = {
    state: () => this.#state(),
    create: (openers: readonly object[]) => {
      if (this.vault) throw new VaultError('VAULT_EXISTS', '')
      this.vault = {
        state: 'open',
        openers: openers.map(nameOf),
        session: null,
        settings: new Map(),
        inMemory: false,
      }
    },
    openInMemory: () => {
      if (this.vault?.state === 'open') throw new VaultError('VAULT_EXISTS', '')
      this.vault = { state: 'open', openers: [], session: null, settings: new Map(), inMemory: true }
    },
    unlock: (opener: object) => {
      if (!this.vault?.openers.includes(nameOf(opener))) throw new VaultError('NO_SUCH_WAY_IN', '')
      this.vault.state = 'open'
    },
    lock: async () => {
      if (this.vault) this.vault.state = 'locked'
      await this.tellState()
    },
    wipe: () => {
      this.vault = null
    },
    session: () => this.#sessionState(),
    begin: (session: NewSession) => {
      this.vault!.session = session
    },
    read: ({ ids }: { ids: string[] }) => ids.map(id => this.vault!.settings.get(id)),
    write: (writes: { id: string; value: JsonObject }[]) => {
      for (const { id, value } of writes) this.vault!.settings.set(id, value)
    },
    identity: (): IdentityState => ({
      state: this.identity,
      passkeys: this.identityPasskeys,
      hasRecoveryKey: true,
      otherDevices: true,
      backup: null,
      recoveryCheckedTs: 0,
    }),
    setUpIdentity: ({ prf }: { prf: PasskeyOpener | null }) => {
      this.identity = 'ready'
      this.identityPasskeys = prf ? [prf.credentialId] : []
      return { recoveryKey: 'EsUE tfEG' }
    },
    openIdentity: (opener: { kind: string; text?: string }) => {
      if (opener.kind === 'recovery-text' && opener.text !== 'EsUE tfEG')
        throw new VaultError('STORAGE_KEY_WRONG', '')
      this.identity = 'ready'
    },
    completeDeviceLink: () => {
      this.identity = 'ready'
    },
    addPasskeyToIdentity: ({ credentialId }: PasskeyOpener) => {
      this.identityPasskeys.push(credentialId)
    },
  }

  #sessionState(): SessionState | null {
    const session = this.vault?.state === 'open' ? this.vault.session : null
    return (
      session && {
        userId: this.account ?? '',
        deviceId: session.deviceId,
        serverName: 'clinic.example',
        displayName: null,
        avatar: null,
        isAdministrator: false,
        setup: this.identity === 'ready' ? 'ready' : 'identity',
      }
    )
  }

  #ports(): EntryPorts {
    const call = async (name: string, argument: never) => {
      this.#do(name)
      const answer = await this.#worker[name]!(argument)
      return answer
    }
    return {
      account: {
        userId: () => this.account,
        ownerState: () => this.#ownerState,
        session: () => this.#session,
        open: userId => {
          this.account = userId
        },
        read: async () => {
          this.#ownerState = this.#state()
          this.#session = this.#sessionState()
        },
        forget: () => {
          this.account = null
          this.#ownerState = null
          this.#session = null
        },
        call: call as never,
        onNotice: listener => {
          this.#listener = listener
        },
        setEnded: why => {
          this.ended = why
        },
      },
      passkeys: {
        available: () => true,
        create: async () => {
          this.#gesture('create passkey')
          return { attestation: {}, credentialId: this.key.id, opener: this.#opener('on create') }
        },
        use: async () => {
          this.#gesture('use passkey')
          return { assertion: {}, opener: this.#opener('on get') }
        },
        openerOf: async () => {
          this.#gesture('ask passkey')
          return this.#opener('on get')
        },
        confirmed: act => act(null, null),
        enrolDevice: async () => this.#gesture('enrol device'),
      },
      server: {
        beginInvitation: async () => {
          this.#do('beginInvitation')
          return {
            userId: this.invited,
            serverName: 'clinic.example',
            purpose: 'new',
            displayName: null,
            expiresTs: 0,
            options: {},
          }
        },
        completeInvitation: async () => {
          this.#do('completeInvitation')
          return this.#signedIn(null)
        },
        signInOptions: async () => ({}),
        signIn: async (_proof, _name, deviceId) => {
          this.#do('signIn')
          return this.#signedIn(deviceId)
        },
        signOut: async session => this.#do(`signOut ${session.deviceId}`),
        beginPasskey: async () => {
          this.#do('beginPasskey')
          return { excludeCredentials: [{ id: 'key-1' }] }
        },
        completePasskey: async () => this.#do('completePasskey'),
        demoSignIn: async () => {
          this.#do('demoSignIn')
          return { loginToken: 'token', recoveryKey: 'EsUE tfEG' }
        },
        lockAfterDays: async () => this.lockAfterDays,
        demoPeople: () => (this.hangs ? new Promise(() => {}) : Promise.resolve(this.demo)),
      },
      browser: {
        takeArrival: () => {
          const taken = this.arrival
          this.arrival = { kind: 'none' }
          return taken
        },
        missing: async () => null,
        mustInstallFirst: () => this.mustInstall,
        suggestedName: () => 'Firefox, Linux',
        askForPersistence: async () => true,
        lastFacts: async () => this.facts,
        now: () => this.now,
        pause: () => {
          const { promise, resolve } = Promise.withResolvers<void>()
          return { over: promise, wake: resolve }
        },
        alone: act => act(),
      },
    }
  }

  #gesture(name: string): void {
    this.#do(name)
    if (this.isDeclining) throw new VaultError('PASSKEY_DECLINED', '')
  }
}

function nameOf(opener: object): string {
  const { kind, credentialId, passphrase, text } = opener as Record<string, string>
  return `${kind} ${credentialId ?? passphrase ?? text}`
}

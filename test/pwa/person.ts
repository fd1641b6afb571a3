/** Somebody signed in, as the worker has it, in Node: the vault on a database in memory. */
import 'fake-indexeddb/auto'
import { registerCompletionHandler } from 'ava'
import type { AppNotice } from '../../pwa/worker/calls.ts'
import { Owner, type Told } from '../../pwa/worker/owner.ts'
import { call } from '../support/client.ts'
import type { ServerProcess, Session } from '../support/server-process.ts'
import { patienceMs } from '../support/until.ts'

// Whoever a failed test left signed in goes on syncing, and would hold the process for minutes.
registerCompletionHandler(() => process.exit())

/** Of everybody. */
export const password = 'a long enough password'

export class Person {
  readonly owner: Owner
  readonly told: Told[] = []
  readonly userId: string
  readonly deviceId: string

  constructor(userId: string, deviceId: string) {
    this.userId = userId
    this.deviceId = deviceId
    this.owner = new Owner(userId, notice => this.told.push(notice))
  }

  /** A new account. */
  static async begin(server: ServerProcess, name: string): Promise<Person> {
    return Person.#signedIn(server, await server.register(name, password))
  }

  /** The same person at another device. */
  static async again(server: ServerProcess, name: string): Promise<Person> {
    return Person.#signedIn(server, await server.login(name, password))
  }

  /** By a token that another device of theirs was given. */
  static async byToken(server: ServerProcess, token: string): Promise<Person> {
    const { status, body } = await call(server.base, 'POST', '/_matrix/client/v3/login', {
      body: { type: 'm.login.token', token },
    })
    if (status !== 200) throw new Error(`login: ${status} ${JSON.stringify(body)}`)
    const { user_id: userId, device_id: deviceId, access_token: accessToken } = body
    return Person.#signedIn(server, { userId, deviceId, token: accessToken })
  }

  static async #signedIn(server: ServerProcess, session: Session): Promise<Person> {
    const { userId, deviceId, token: accessToken } = session
    const person = new Person(userId, deviceId)
    await person.owner.calls.openInMemory(null)
    const { base: origin } = server
    await person.owner.calls.begin({ origin, deviceId, accessToken, refreshToken: null, expiresInMs: null })
    return person
  }

  /** A room that has not come yet is no failure. */
  async until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
    const lookAgain = (error: unknown) => {
      if ((error as { code?: unknown }).code !== 'NO_SUCH_ROOM') throw error
      return null
    }
    for (let i = 0; i < patienceMs / 25; i++) {
      const found = await Promise.resolve().then(look).catch(lookAgain)
      if (found) return found as NonNullable<T>
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    throw new Error(`waited in vain; told: ${JSON.stringify(this.told.slice(-5))}`)
  }

  notices<K extends AppNotice['kind']>(kind: K): Extract<AppNotice, { kind: K }>[] {
    return this.told.filter(notice => notice.kind === kind) as Extract<AppNotice, { kind: K }>[]
  }
}

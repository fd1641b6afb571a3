/** Somebody signed in, as the worker has it, in Node: the vault on a database in memory. */
import 'fake-indexeddb/auto'
import type { AppNotice } from '../../pwa/worker/calls.ts'
import { Owner, type Told } from '../../pwa/worker/owner.ts'
import type { ServerProcess } from '../support/server-process.ts'

export class Person {
  readonly owner: Owner
  readonly told: Told[] = []
  readonly userId: string

  constructor(userId: string) {
    this.userId = userId
    this.owner = new Owner(userId, notice => this.told.push(notice))
  }

  static async begin(server: ServerProcess, name: string): Promise<Person> {
    const session = await server.register(name, 'a long enough password')
    const person = new Person(session.userId)
    await person.owner.calls.openInMemory(null)
    await person.owner.calls.begin({
      origin: server.base,
      deviceId: session.deviceId,
      accessToken: session.token,
      refreshToken: null,
      expiresInMs: null,
    })
    return person
  }

  async until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
    for (let i = 0; i < 400; i++) {
      const found = await look()
      if (found) return found as NonNullable<T>
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    throw new Error(`waited in vain; told: ${JSON.stringify(this.told.slice(-5))}`)
  }

  notices<K extends AppNotice['kind']>(kind: K): Extract<AppNotice, { kind: K }>[] {
    return this.told.filter(notice => notice.kind === kind) as Extract<AppNotice, { kind: K }>[]
  }
}

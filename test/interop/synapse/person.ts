// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/** Somebody with a session on some homeserver, driven by plain requests of the client-server API. */
import { call } from '../../support/client.ts'
import { type Session, sleep } from '../../support/server-process.ts'
import { patienceMs } from '../../support/until.ts'

export interface SeenEvent {
  readonly event_id: string
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly content: Record<string, any>
  readonly unsigned?: Record<string, any>
}

let counter = 0

export class Person {
  readonly base: string
  readonly session: Session

  constructor(base: string, session: Session) {
    this.base = base
    this.session = session
  }

  get userId(): string {
    return this.session.userId
  }

  /** Throws unless it is answered with 200. */
  async api(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.ask(method, path, body)
    if (answer.status !== 200) {
      throw new Error(`${method} ${path} by ${this.userId}: ${answer.status} ${JSON.stringify(answer.body)}`)
    }
    return answer.body
  }

  ask(method: string, path: string, body?: unknown) {
    return call(this.base, method, `/_matrix/client${path}`, {
      token: this.session.token,
      ...(body === undefined ? {} : { body }),
    })
  }

  async createRoom(options: object = {}): Promise<string> {
    return (await this.api('POST', '/v3/createRoom', options)).room_id
  }

  invite(roomId: string, userId: string): Promise<unknown> {
    return this.api('POST', `${at(roomId)}/invite`, { user_id: userId })
  }

  join(roomId: string, ...via: string[]): Promise<unknown> {
    const query = via.map(
      server => `via=${encodeURIComponent(server)}&server_name=${encodeURIComponent(server)}`,
    )
    return this.api('POST', `/v3/join/${encodeURIComponent(roomId)}?${query.join('&')}`, {})
  }

  leave(roomId: string): Promise<unknown> {
    return this.api('POST', `${at(roomId)}/leave`, {})
  }

  async say(roomId: string, body: string, more: object = {}): Promise<string> {
    return this.send(roomId, 'm.room.message', { msgtype: 'm.text', body, ...more })
  }

  async send(roomId: string, type: string, content: object): Promise<string> {
    return (await this.api('PUT', `${at(roomId)}/send/${type}/t${Date.now()}-${counter++}`, content)).event_id
  }

  async setState(roomId: string, type: string, content: object, stateKey = ''): Promise<string> {
    return (await this.api('PUT', `${at(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`, content))
      .event_id
  }

  async state(roomId: string): Promise<SeenEvent[]> {
    return this.api('GET', `${at(roomId)}/state`)
  }

  /** Newest first. */
  async messages(roomId: string, limit = 100): Promise<SeenEvent[]> {
    return (await this.api('GET', `${at(roomId)}/messages?dir=b&limit=${limit}`)).chunk
  }

  async membership(roomId: string, userId = this.userId): Promise<string | undefined> {
    const { status, body } = await this.ask(
      'GET',
      `${at(roomId)}/state/m.room.member/${encodeURIComponent(userId)}`,
    )
    return status === 200 ? body.membership : undefined
  }

  /** The event, once it is here. */
  sees(roomId: string, eventId: string): Promise<SeenEvent> {
    return until(`${this.userId} sees ${eventId}`, async () => {
      const { status, body } = await this.ask('GET', `${at(roomId)}/event/${encodeURIComponent(eventId)}`)
      return status === 200 ? body : undefined
    })
  }

  async isMember(roomId: string, userId: string, membership: string): Promise<void> {
    await until(`${this.userId} sees ${userId} as ${membership}`, async () =>
      (await this.membership(roomId, userId)) === membership ? true : undefined,
    )
  }

  /** An answer of /sync in which this holds; each one goes on from the one before. */
  async syncUntil<T>(what: string, find: (answer: any) => T | undefined, since?: string): Promise<T> {
    let next = since
    return until(what, async () => {
      const query = next === undefined ? 'timeout=0' : `timeout=1000&since=${next}`
      const answer = await this.api('GET', `/v3/sync?${query}`)
      next = answer.next_batch
      return find(answer)
    })
  }

  async isInvited(roomId: string): Promise<void> {
    await this.syncUntil(`${this.userId} is invited`, answer => answer.rooms?.invite?.[roomId] && true)
  }
}

export function at(roomId: string): string {
  return `/v3/rooms/${encodeURIComponent(roomId)}`
}

export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`in vain: ${what}`)
    await sleep(100)
  }
}

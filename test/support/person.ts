/** Somebody at a server that runs as a process: what a test lets people do there, in one line each. */
import { type Answer, call } from './client.ts'
import type { FederatedServer } from './federated.ts'
import { type Session, sleep } from './server-process.ts'
import { patienceMs } from './until.ts'

const client = '/_matrix/client/v3'
const password = 'correct horse battery staple'

export class Person {
  readonly userId: string
  readonly session: Session
  readonly #base: string
  #said = 0

  constructor(base: string, session: Session) {
    this.#base = base
    this.session = session
    this.userId = session.userId
  }

  /** Below `/_matrix/client/v3`. */
  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return call(this.#base, method, client + path, { token: this.session.token, body })
  }

  /** What must go well. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async ask(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.call(method, path, body)
    if (answer.status === 200) return answer.body
    throw new Error(`${method} ${path} of ${this.userId}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  saying(roomId: string, text: string): [path: string, body: object] {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${this.#said++}`
    return [path, { msgtype: 'm.text', body: text }]
  }

  /** The event's id. */
  async say(roomId: string, text: string): Promise<string> {
    return (await this.ask('PUT', ...this.saying(roomId, text))).event_id
  }

  async setState(roomId: string, type: string, stateKey: string, content: object): Promise<Answer> {
    const [room, key] = [encodeURIComponent(roomId), encodeURIComponent(stateKey)]
    return this.call('PUT', `/rooms/${room}/state/${type}/${key}`, content)
  }

  join(roomId: string, via: string): Promise<void> {
    return this.ask('POST', `/join/${encodeURIComponent(roomId)}?via=${via}`, {})
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  sync(since?: string): Promise<any> {
    return this.ask('GET', `/sync?timeout=0${since === undefined ? '' : `&since=${since}`}`)
  }

  /** What was said, the newest first, as far as one page goes. */
  async texts(roomId: string, limit = 100): Promise<string[]> {
    const { chunk } = await this.ask(
      'GET',
      `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=${limit}`,
    )
    return chunk.flatMap((event: { content: { body?: string } }) => event.content.body ?? [])
  }

  /** Of all events that can be paged to. */
  async eventIds(roomId: string): Promise<Set<string>> {
    const ids = new Set<string>()
    for (let from = ''; ; ) {
      const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=200${from}`
      const { chunk, end } = await this.ask('GET', path)
      for (const { event_id: id } of chunk) ids.add(id)
      if (end === undefined) return ids
      from = `&from=${end}`
    }
  }

  /** The ids of the state's events. */
  async state(roomId: string): Promise<string[]> {
    const events = await this.ask('GET', `/rooms/${encodeURIComponent(roomId)}/state`)
    return events.map((event: { event_id: string }) => event.event_id).sort()
  }
}

export async function person(server: FederatedServer, name: string): Promise<Person> {
  return new Person(server.process.base, await server.process.register(name, password))
}

/** Asks until the answer is true of something, as long as a slow machine may need. */
export async function eventually<T>(
  ask: () => Promise<T>,
  patience = patienceMs,
): Promise<Exclude<T, false | undefined | null>> {
  const until = performance.now() + patience
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, false | undefined | null>
    }
    if (performance.now() > until) throw new Error(`not within ${patience} ms: ${ask}`)
    await sleep(50)
  }
}

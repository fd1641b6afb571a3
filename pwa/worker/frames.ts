/**
 * Calls across a message port, typed: a request has one answer, notices come unasked.
 *
 * Both ends are of one release: the worker's address changes with its content. Refusals keep their code.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { VaultError } from '../vault/errors.ts'

/** What may be called: an argument goes in, an answer comes out. */
export type Calls = Record<string, (argument: never) => Promise<unknown>>
export type Argument<C, K extends keyof C> = C[K] extends (argument: infer A) => unknown ? A : never
export type Answer<C, K extends keyof C> = C[K] extends (argument: never) => Promise<infer R> ? R : never

export interface Request {
  readonly id: number
  readonly call: string
  readonly argument: unknown
}
export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly refusal: Refusal }
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly details?: JsonObject
}
export type Unasked<N> = { readonly notice: N }

/** Any end of a `MessagePort`, a worker or a relay. */
export interface End {
  postMessage(message: unknown, transfer?: Transferable[]): void
  onmessage: ((event: MessageEvent) => void) | null
}

/** Carries out one request. Throws nothing: a refusal is a reply. */
export async function carryOut(calls: Calls, { id, call, argument }: Request): Promise<Reply> {
  try {
    if (!Object.hasOwn(calls, call)) throw new VaultError('NO_SUCH_CALL', `the worker has no call ${call}`)
    return { id, answer: await calls[call]!(argument as never) }
  } catch (error) {
    const { code, message, details } = error as { code?: unknown; message?: unknown; details?: unknown }
    const refusal = { code: typeof code === 'string' ? code : 'INTERNAL', message: String(message) }
    return { id, refusal: isObject(details) ? { ...refusal, details } : refusal }
  }
}

/** The asking end. A refusal is thrown as `VaultError` with the code it had in the worker. */
export class Caller<C, N> {
  readonly #end: End
  readonly #onNotice: (notice: N) => void
  readonly #pending = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  #next = 1
  #hasHeard = false
  #failure: Error | null = null

  constructor(end: End, onNotice: (notice: N) => void) {
    this.#end = end
    this.#onNotice = onNotice
    end.onmessage = event => this.#receive(event.data)
  }

  /** What is transferred is gone here when this returns. */
  call<K extends keyof C & string>(
    call: K,
    argument: Argument<C, K>,
    transfer: Transferable[] = [],
  ): Promise<Answer<C, K>> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      this.#pending.set(id, { resolve, reject })
      this.#end.postMessage({ id, call, argument } satisfies Request, transfer)
    })
  }

  /** The other end did not start: whoever waits need not wait any more. False: it did, and this is about something else. */
  fail(failure: Error): boolean {
    if (this.#hasHeard) return false
    this.#failure = failure
    for (const { reject } of this.#pending.values()) reject(failure)
    this.#pending.clear()
    return true
  }

  #receive(message: Reply | Unasked<N>): void {
    this.#hasHeard = true
    if ('notice' in message) {
      this.#onNotice(message.notice)
      return
    }
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if ('refusal' in message) {
      const { code, message: words, ...rest } = message.refusal
      pending?.reject(new VaultError(code, words, rest))
    } else pending?.resolve(message.answer as never)
  }
}

/**
 * A flow: what happens on the console one step after another, written down as it is told.
 *
 * It is a generator that asks (a page, an answer) and calls (the machine, a result). It has no state of its own: what a
 * flow is at any moment follows from its context and the answers so far, by running it again from the start. So a flow
 * must be a function of both alone: no clock, no randomness, no facts but those that it was given or called for. Going
 * back is forgetting the last answer.
 */
import type { Values } from './input.ts'
import type { Facts, InputOf, Method, OutputOf, Progress, Result } from './machine.ts'
import { type Block, choice, fact, gap, type Page, text, wayOut } from './page.ts'
import type { Line } from './terminal-output.ts'

/** What a page may show beyond the answers: the moment. */
export interface Live {
  readonly facts: Facts
  readonly now: number
  readonly progress: Progress | null
  readonly size: { readonly columns: number; readonly rows: number }
  /** A serial line draws in ASCII: no phone reads a code from it. */
  readonly line: Line
}

export interface Ask {
  readonly step: 'ask'
  readonly page: (live: Live) => Page
  /** Problems by field; none: the answer is taken. */
  readonly check?: (values: Values) => Values
  /** Then the answer is `timeout`. */
  readonly untilTs?: number
  /** Nobody typing does not end it. */
  readonly stays?: boolean
}

export interface Call {
  readonly step: 'call'
  readonly method: Method
  readonly input: unknown
  readonly page: (live: Live) => Page
  /** It changes nothing: going back goes over it. */
  readonly isHarmless: boolean
}

export type Step = Ask | Call

export type Answer =
  | { readonly kind: 'asked'; readonly chosen: string; readonly values: Values }
  | { readonly kind: 'called'; readonly result: Result<unknown> }

/** Where it goes on: with what was there before, at home, or with another flow (and back here after it). */
export type Outcome = 'done' | 'home' | { readonly open: string; readonly returns: boolean }

export type Flow = Generator<Step, Outcome, Answer>
export type Steps<T> = Generator<Step, T, Answer>

export interface Context {
  /** As they were when it began. */
  readonly facts: Facts
  readonly now: number
}

export type FlowMaker = (context: Context) => Flow

/** Thrown inside a flow: somebody turned back. */
export class TurnedBack extends Error {}

export interface Asked {
  readonly chosen: string
  readonly values: Values
}

export function* ask(
  page: Page | ((live: Live) => Page),
  more: Omit<Ask, 'step' | 'page'> = {},
): Steps<Asked> {
  const answer = yield { step: 'ask', page: typeof page === 'function' ? page : () => page, ...more }
  if (answer.kind !== 'asked') throw new Error('an answer of another step')
  return answer
}

/** Tries; what failed is the flow's to handle. */
export function* tryCall<M extends Method>(
  method: M,
  input: InputOf<M>,
  title: string,
  isHarmless = false,
): Steps<Result<OutputOf<M>>> {
  const answer = yield {
    step: 'call',
    method,
    input,
    isHarmless,
    page: ({ progress }) => ({
      title,
      isFinal: true,
      blocks: progress
        ? [{ block: 'progress', text: progress.text, part: progress.part }]
        : [text('One moment.', 'soft')],
    }),
  }
  if (answer.kind !== 'called') throw new Error('an answer of another step')
  return answer.result as Result<OutputOf<M>>
}

/** Until it succeeds; whoever gives up leaves the flow, or goes on with null where that is offered. */
export function* call<M extends Method>(
  method: M,
  input: InputOf<M>,
  title: string,
  isHarmless = false,
): Steps<OutputOf<M>> {
  for (;;) {
    const result = yield* tryCall(method, input, title, isHarmless)
    if (result.ok) return result.value
    const { chosen } = yield* ask({
      title: `${title}: it did not work`,
      isFinal: true,
      blocks: [...refusal(result), gap, choice('again', 'Try again'), wayOut()],
    })
    if (chosen !== 'again') throw new TurnedBack()
  }
}

/** Only looks: going back goes over it. */
export const look = <M extends Method>(method: M, input: InputOf<M>, title: string) =>
  call(method, input, title, true)

export function refusal({ sentence, problems, code }: Extract<Result<unknown>, { ok: false }>): Block[] {
  return [
    text(sentence, 'bad'),
    ...problems.map(problem => fact(problem.field, problem.sentence, 'bad')),
    fact('code', code, 'faint'),
  ]
}

/** A page that only tells. */
export function* tell(title: string, blocks: readonly Block[], goOn = 'Go on'): Steps<void> {
  yield* ask({ title, isFinal: true, blocks: [...blocks, gap, choice('go-on', goOn)] })
}

export type Replayed =
  | { readonly kind: 'at'; readonly step: Step; readonly trail: readonly Step[] }
  | { readonly kind: 'ended'; readonly outcome: Outcome }

export function replay(make: FlowMaker, context: Context, answers: readonly Answer[]): Replayed {
  const flow = make(context)
  const trail: Step[] = []
  try {
    let at = flow.next()
    for (const answer of answers) {
      if (at.done) break
      trail.push(at.value)
      at = flow.next(answer)
    }
    return at.done ? { kind: 'ended', outcome: at.value } : { kind: 'at', step: at.value, trail }
  } catch (error) {
    if (error instanceof TurnedBack) return { kind: 'ended', outcome: 'done' }
    throw error
  }
}

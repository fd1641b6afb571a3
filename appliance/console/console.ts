/**
 * The console's core: what is shown, and what a key or a piece of news changes. Pure: what is to be done to the machine
 * comes back as effects, and their results come in as news.
 *
 * Flows stand on a stack: the first is where the console is when nobody is there (home, first start, recovery), those on
 * top are what somebody does. Nobody there for five minutes: only the first is left, and with it the lock.
 */

import {
  type Answer,
  type Ask,
  type Context,
  type FlowMaker,
  type Live,
  type Outcome,
  replay,
  type Step,
} from './flow.ts'
import { type Input, newInput, typed, type Values } from './input.ts'
import type { Key } from './keys.ts'
import { type Frame, layOut, mostScroll } from './layout.ts'
import type { Facts, Method, Progress, Result } from './machine.ts'
import { focusables, type Page, text } from './page.ts'
import type { Screen } from './screen.ts'
import type { Line } from './terminal-output.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

interface Running {
  readonly flow: string
  /** Where the console is when nobody is there, and not what somebody opened. */
  readonly isBase: boolean
  readonly context: Context
  readonly answers: readonly Answer[]
  readonly step: Step | null
  readonly trail: readonly Step[]
  readonly input: Input | null
}

export interface State {
  readonly line: Line
  readonly size: Size
  readonly now: number
  readonly lastKeyTs: number
  /** null: nothing is known yet. */
  readonly facts: Facts | null
  readonly stack: readonly Running[]
  /** The one call that is under way. */
  readonly pending: {
    readonly id: number
    readonly method: Method
    readonly progress: Progress | null
  } | null
  readonly calls: number
}

export interface Effect {
  readonly id: number
  readonly method: Method
  readonly input: unknown
}

export type News =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'tick'; readonly now: number }
  | { readonly kind: 'size'; readonly size: Size }
  | { readonly kind: 'facts'; readonly facts: Facts }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly kind: 'result'; readonly id: number; readonly result: Result<unknown> }

export interface Flows {
  /** Where the console is when nobody is there. */
  readonly base: (facts: Facts) => string
  readonly makers: Readonly<Record<string, FlowMaker>>
}

export interface Next {
  readonly state: State
  readonly effects: readonly Effect[]
}

export const idleMs = 5 * 60_000

export const newState = (size: Size, now: number, line: Line): State => ({
  line,
  size,
  now,
  lastKeyTs: now,
  facts: null,
  stack: [],
  pending: null,
  calls: 0,
})

export function update(state: State, news: News, flows: Flows): Next {
  switch (news.kind) {
    case 'key':
      return pressed({ ...state, lastKeyTs: state.now }, news.key, flows)
    case 'size':
      return { state: { ...state, size: news.size }, effects: [] }
    case 'facts':
      return settled(rebased({ ...state, facts: news.facts }, flows), flows)
    case 'progress':
      if (state.pending?.id !== news.id) return { state, effects: [] }
      return { state: { ...state, pending: { ...state.pending, progress: news.progress } }, effects: [] }
    case 'result':
      if (state.pending?.id !== news.id) return { state, effects: [] }
      return settled(answered(known(state, news.result), { kind: 'called', result: news.result }), flows)
    case 'tick':
      return ticked({ ...state, now: news.now }, flows)
    default:
      return news satisfies never
  }
}

export function view(state: State): Screen {
  const { facts } = state
  const page = pageOf(state)
  const frame: Frame = {
    ...state.size,
    site: facts?.site?.serverName ?? '',
    version: facts ? facts.release.version : '',
    isDevelopment: facts?.release.isDevelopment ?? false,
    time: `${new Date(state.now).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  }
  return layOut(page, state.stack.at(-1)?.input ?? newInput(page), frame)
}

export function pageOf(state: State): Page {
  const step = state.stack.at(-1)?.step
  const live = liveOf(state)
  if (!step || !live)
    return { title: 'Letro is starting.', isFinal: true, blocks: [text('One moment.', 'soft')] }
  return step.page(live)
}

function liveOf({ facts, now, pending, size, line }: State): Live | null {
  return facts && { facts, now, size, line, progress: pending?.progress ?? null }
}

function pressed(state: State, key: Key, flows: Flows): Next {
  const top = state.stack.at(-1)
  if (top?.step?.step !== 'ask' || !top.input) return { state, effects: [] }
  const page = pageOf(state)
  const does = typed(top.input, page, key)
  switch (does.kind) {
    case 'input': {
      const most = mostScroll(page, does.input, state.size)
      const scroll = does.input.scroll === null ? null : Math.min(does.input.scroll, most)
      return { state: withInput(state, { ...does.input, scroll }), effects: [] }
    }
    case 'back':
      return page.isFinal ? { state, effects: [] } : settled(back(state), flows)
    case 'chosen':
      return chosen(state, top.step, top.input, page, does.chosen, flows)
    default:
      return does satisfies never
  }
}

function chosen(state: State, step: Ask, input: Input, page: Page, id: string, flows: Flows): Next {
  if (id === 'up') return settled(back(state), flows)
  const all = focusables(page)
  const isWayOut = all.some(each => each.block === 'choice' && each.id === id && each.isWayOut)
  if (!isWayOut) {
    const problems = step.check?.(input.values) ?? {}
    const wrong = all.findIndex(each => each.block === 'field' && problems[each.name] !== undefined)
    if (wrong >= 0) {
      const again = {
        ...input,
        focus: wrong,
        caret: caretIn(all[wrong]!, input.values),
        problems,
        scroll: null,
      }
      return { state: withInput(state, again), effects: [] }
    }
  }
  return settled(answered(state, { kind: 'asked', chosen: id, values: input.values }), flows)
}

const caretIn = (field: { readonly block: string; readonly name?: string }, values: Values) =>
  [...(values[field.name ?? ''] ?? '')].length

function ticked(state: State, flows: Flows): Next {
  const top = state.stack.at(-1)
  if (top?.step?.step !== 'ask') return { state, effects: [] }
  if (top.step.untilTs !== undefined && state.now >= top.step.untilTs) {
    const values = top.input?.values ?? {}
    return settled(answered(state, { kind: 'asked', chosen: 'timeout', values }), flows)
  }
  const isIdle = state.now - state.lastKeyTs >= idleMs && !top.step.stays
  const isAway = !top.isBase || top.answers.length > 0
  return isIdle && isAway ? settled({ ...state, stack: [] }, flows) : { state, effects: [] }
}

/** To the answer before; what was done to the machine in between stays done, and then the flow is left. */
function back(state: State): State {
  const top = state.stack.at(-1)!
  const before = top.trail.findLastIndex(step => step.step === 'ask')
  const isPlain = top.trail.slice(before + 1).every(step => step.step === 'call' && step.isHarmless)
  if (before < 0 || !isPlain) return { ...state, stack: state.stack.slice(0, -1) }
  const old = top.answers[before]!
  const values = old.kind === 'asked' ? old.values : {}
  // What was typed there stands there again.
  const input: Input = { focus: 0, values, caret: 0, scroll: null, problems: {} }
  const earlier: Running = { ...top, answers: top.answers.slice(0, before), step: null, input }
  return { ...state, stack: [...state.stack.slice(0, -1), earlier] }
}

/** A base that nobody has touched follows the facts; what was opened from it stays. */
function rebased(state: State, flows: Flows): State {
  const [first, ...above] = state.stack
  const { facts } = state
  if (!first?.isBase || !facts || above.length > 0 || first.answers.length > 0) return state
  if (first.flow !== flows.base(facts)) return { ...state, stack: [], pending: null }
  return { ...state, stack: [{ ...first, context: { facts, now: state.now } }] }
}

function answered(state: State, answer: Answer): State {
  const top = state.stack.at(-1)!
  const next: Running = { ...top, answers: [...top.answers, answer], step: null, input: null }
  return { ...state, stack: [...state.stack.slice(0, -1), next] }
}

/** What was looked at for a flow is the newest for all. */
function known(state: State, result: Result<unknown>): State {
  const isLook = state.pending?.method === 'look' || state.pending?.method === 'awaitServer'
  return { ...state, pending: null, facts: isLook && result.ok ? (result.value as Facts) : state.facts }
}

/** Runs the top of the stack until it asks, or calls. */
function settled(given: State, flows: Flows): Next {
  let state = given
  for (;;) {
    const top = state.stack.at(-1)
    if (!state.facts) return { state, effects: [] }
    if (!top) {
      state = { ...state, stack: [started(state, state.facts, flows.base(state.facts), true)] }
      continue
    }
    if (top.step?.step === 'ask' || state.pending) return { state, effects: [] }
    const make = flows.makers[top.flow]
    if (!make) throw new Error(`there is no flow ${top.flow}`)
    // What begins anew, because what was opened from it is over, sees the machine as it is by then.
    const context = top.answers.length === 0 ? { facts: state.facts, now: state.now } : top.context
    const at = replay(make, context, top.answers)
    if (at.kind === 'ended') {
      state = { ...state, stack: afterwards(state, state.facts, at.outcome) }
      continue
    }
    const running: Running = { ...top, context, step: at.step, trail: at.trail }
    state = { ...state, stack: [...state.stack.slice(0, -1), running] }
    if (at.step.step === 'ask') {
      const input = newInput(pageOf(state), top.input?.values)
      return { state: withInput(state, input), effects: [] }
    }
    const id = state.calls + 1
    const effect: Effect = { id, method: at.step.method, input: at.step.input }
    return {
      state: { ...state, calls: id, pending: { id, method: at.step.method, progress: null } },
      effects: [effect],
    }
  }
}

function started({ now }: State, facts: Facts, flow: string, isBase = false): Running {
  return { flow, isBase, context: { facts, now }, answers: [], step: null, trail: [], input: null }
}

function afterwards(state: State, facts: Facts, outcome: Outcome): readonly Running[] {
  const below = state.stack.slice(0, -1)
  const ended = state.stack.at(-1)!
  if (outcome === 'home') return []
  if (outcome === 'done') return below
  const opened = started(state, facts, outcome.open)
  // What returns begins anew when the other one is over.
  return outcome.returns
    ? [...below, started(state, facts, ended.flow, ended.isBase), opened]
    : [...below, opened]
}

function withInput(state: State, input: Input): State {
  const top = state.stack.at(-1)!
  return { ...state, stack: [...state.stack.slice(0, -1), { ...top, input }] }
}

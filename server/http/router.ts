/**
 * Which route answers a request.
 *
 * @koa/router tries every route's expression, also behind the one that fits, and composes the steps anew for every
 * request: 14–20 µs with 164 routes, and 10–15 µs where only one can fit. So its layers do what they are good at
 * (patterns), and the rest is done here: routes that share method, number of segments and literal
 * beginning form a group that one look-up finds, and their steps are put together once. 2–3 µs a request.
 *
 * Spec: client-server-api#common-error-codes (M_UNRECOGNIZED: 404 unknown, 405 known with another method),
 * #web-browser-clients (OPTIONS answers for every path and runs nothing).
 */
import { type Layer, Router } from '@koa/router'
import { invalidParam, MatrixError } from './matrix-error.ts'
import type { Context, Method, Route, Step } from './route.ts'

const methods: readonly Method[] = ['GET', 'PUT', 'POST', 'DELETE']

export function routerOf(routes: readonly Route[]): (ctx: Context) => Promise<void> {
  const table = new RouteTable(routes)
  return async function route(ctx) {
    if (ctx.method === 'OPTIONS') {
      ctx.status = 204
      ctx.set('Access-Control-Max-Age', '86400')
      return
    }
    const path = currentPath(pathOf(ctx))
    const found = table.find(ctx.method === 'HEAD' ? 'GET' : ctx.method, path)
    if (found) {
      ctx.state.params = found.params
      ctx.state.route = found.known.path
      return found.known.run(ctx)
    }
    const allowed = methods.filter(method => table.find(method, path) !== null)
    if (allowed.length === 0) throw new MatrixError(404, 'M_UNRECOGNIZED', 'There is no such endpoint.')
    ctx.set('Allow', [...allowed, 'OPTIONS'].join(', '))
    throw new MatrixError(405, 'M_UNRECOGNIZED', `This endpoint does not answer ${ctx.method}.`)
  }
}

/** As `ctx.path`, without parsing what is a plain path in all but odd requests (an absolute URL, a fragment). */
function pathOf(ctx: Context): string {
  const url = ctx.req.url ?? '/'
  if (!url.startsWith('/') || url.includes('#')) return ctx.path
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/**
 * Until v1.1 all endpoints that are v3 now were called r0, and clients are still about that call them so: r0 stays
 * another name for v3. Spec: changelog/v1.1 ("r0 … replaced with v3")
 */
function currentPath(path: string): string {
  return path.includes('/r0/') ? path.replace(/^(\/_matrix\/(?:client|media))\/r0\//, '$1/v3/') : path
}

interface Known {
  readonly path: string
  readonly pattern: RegExp
  readonly parameters: readonly string[]
  run(ctx: Context): Promise<void>
}

interface Found {
  readonly known: Known
  readonly params: Readonly<Record<string, string>>
}

class RouteTable {
  /** The routes of one method with equally many segments that begin with the same literal ones. */
  #groups = new Map<string, Known[]>()
  #router = new Router({ sensitive: true })
  /** For each method and number of segments: how many literal segments its groups begin with, most first. */
  #literals = new Map<string, number[]>()

  constructor(routes: readonly Route[]) {
    const seen = new Set<string>()
    // Where two routes fit, the one with fewer parameters is meant.
    const ordered = [...routes].sort((a, b) => parameters(a.path) - parameters(b.path))
    for (const route of ordered) {
      const shape = `${route.method} ${route.path.replaceAll(/:\w+/g, ':')}`
      if (seen.has(shape)) throw new Error(`two routes answer ${shape}`)
      seen.add(shape)
      this.#add(route)
    }
  }

  find(method: string, path: string): Found | null {
    const ends = segmentEnds(path)
    const kind = `${method} ${ends.length}`
    for (const literals of this.#literals.get(kind) ?? []) {
      const group = this.#groups.get(`${kind} ${path.slice(0, ends[literals - 1] ?? 0)}`)
      if (!group) continue
      for (const known of group) {
        const captures = known.pattern.exec(path)
        if (captures) return { known, params: paramsOf(known, captures) }
      }
    }
    return null
  }

  #add({ method, path, steps }: Route): void {
    const ends = segmentEnds(path)
    const firstParameter = path.indexOf('/:')
    const literals = firstParameter === -1 ? ends.length : ends.filter(end => end <= firstParameter).length
    const kind = `${method} ${ends.length}`
    const lengths = this.#literals.get(kind) ?? []
    if (!lengths.includes(literals)) lengths.push(literals)
    this.#literals.set(
      kind,
      lengths.sort((a, b) => b - a),
    )
    const key = `${kind} ${path.slice(0, ends[literals - 1] ?? 0)}`
    // Without its last slash @koa/router takes a path with and without it.
    const pattern = path.length > 1 ? path.replace(/\/$/, '') : path
    const layer = this.#router.register(pattern, [method], () => {}) as Layer
    const group = this.#groups.get(key) ?? []
    group.push({
      path,
      pattern: layer.regexp,
      parameters: layer.paramNames.map(({ name }) => name),
      run: inOrder(steps),
    })
    this.#groups.set(key, group)
  }
}

/** A parameter that captured nothing is absent. */
function paramsOf({ parameters }: Known, captures: RegExpExecArray): Record<string, string> {
  const params: Record<string, string> = {}
  for (let i = 0; i < parameters.length; i++) {
    const captured = captures[i + 1]
    if (captured) params[parameters[i]!] = captured.includes('%') ? decoded(captured) : captured
  }
  return params
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidParam('The path is not correctly percent-encoded.')
  }
}

/** Each step calls the next one; what one throws, the one before it sees. */
function inOrder(steps: readonly Step[]): (ctx: Context) => Promise<void> {
  const run = async (ctx: Context, index: number): Promise<void> => {
    const step = steps[index]
    if (step) await step(ctx as Parameters<Step>[0], () => run(ctx, index + 1))
  }
  return ctx => run(ctx, 0)
}

function parameters(path: string): number {
  return path.split('/:').length - 1
}

/** Where each segment ends. A slash at the end adds none: `/state/m.room.name/` is the empty state key. */
function segmentEnds(path: string): number[] {
  const ends: number[] = []
  let at = path.indexOf('/', 1)
  while (at !== -1) {
    ends.push(at)
    at = path.indexOf('/', at + 1)
  }
  if (ends.at(-1) !== path.length - 1 && path.length > 1) ends.push(path.length)
  return ends
}

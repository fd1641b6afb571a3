/**
 * Which route answers a request.
 *
 * @koa/router tries every route's expression, also behind the one that fits: 14–20 µs a request with 164
 * routes. So the routes that share method, number of segments and literal beginning share one small router,
 * found by a look-up; within it @koa/router matches, decodes and runs the steps: 1–2 µs.
 *
 * Spec: client-server-api#common-error-codes (M_UNRECOGNIZED: 404 unknown, 405 known with another method),
 * #web-browser-clients (OPTIONS answers for every path and runs nothing).
 */
import { Router } from '@koa/router'
import type { Middleware } from 'koa'
import { invalidParam, MatrixError } from './matrix-error.ts'
import type { Method, Route, Step } from './route.ts'

const methods: readonly Method[] = ['GET', 'PUT', 'POST', 'DELETE']

export function routerOf(routes: readonly Route[]): Step {
  const table = new RouteTable(routes)
  return async function route(ctx) {
    if (ctx.method === 'OPTIONS') {
      ctx.status = 204
      return
    }
    if (ctx.path.startsWith('/_matrix/')) ctx.path = currentPath(ctx.path)
    const path = checkedPath(ctx.path)
    for (const group of table.groups(ctx.method === 'HEAD' ? 'GET' : ctx.method, path)) {
      await group.serve(ctx, nothingLeft)
      if (ctx['routeMatched'] === true) return
    }
    const allowed = methods.filter(method => table.knows(method, path))
    if (allowed.length === 0) throw new MatrixError(404, 'M_UNRECOGNIZED', 'There is no such endpoint.')
    ctx.set('Allow', [...allowed, 'OPTIONS'].join(', '))
    throw new MatrixError(405, 'M_UNRECOGNIZED', `This endpoint does not answer ${ctx.method}.`)
  }
}

const nothingLeft = () => Promise.resolve()

/**
 * Until v1.1 all endpoints that are v3 now were called r0, and clients are still about that call them so: r0 stays
 * another name for v3. Spec: changelog/v1.1 ("r0 … replaced with v3")
 */
function currentPath(path: string): string {
  return path.replace(/^(\/_matrix\/(?:client|media))\/r0\//, '$1/v3/')
}

/** A `%` that encodes nothing would reach a route undecoded. */
function checkedPath(path: string): string {
  if (path.includes('%')) {
    try {
      decodeURIComponent(path)
    } catch {
      throw invalidParam('The path is not correctly percent-encoded.')
    }
  }
  return path
}

/** The routes of one method with equally many segments that begin with the same literal ones. */
interface Group {
  readonly router: Router
  readonly serve: Middleware
}

class RouteTable {
  #groups = new Map<string, Group>()
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

  groups(method: string, path: string): Group[] {
    const ends = segmentEnds(path)
    const lengths = this.#literals.get(`${method} ${ends.length}`)
    const found: Group[] = []
    if (!lengths) return found
    for (const length of lengths) {
      const group = this.#groups.get(`${method} ${ends.length} ${path.slice(0, ends[length - 1] ?? 0)}`)
      if (group) found.push(group)
    }
    return found
  }

  knows(method: Method, path: string): boolean {
    return this.groups(method, path).some(group => group.router.match(path, method).route)
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
    let group = this.#groups.get(key)
    if (!group) {
      const router = new Router({ sensitive: true })
      group = { router, serve: router.routes() as unknown as Middleware }
      this.#groups.set(key, group)
    }
    // Without its last slash @koa/router takes a path with and without it.
    const pattern = path.length > 1 ? path.replace(/\/$/, '') : path
    group.router.register(pattern, [method], [runSteps(path, steps)] as never[])
  }
}

/** All steps as one: @koa/router would compose them anew for every request. */
function runSteps(path: string, steps: readonly Step[]): Step {
  return function runSteps(ctx, next) {
    ctx.state.params = ctx['params'] as Record<string, string>
    ctx.state.route = path
    const run = (index: number): unknown => {
      const step = steps[index]
      return step ? step(ctx, () => Promise.resolve(run(index + 1))) : next()
    }
    return run(0)
  }
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

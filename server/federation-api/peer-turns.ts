/**
 * What costs much to answer (a room's whole state, its history, its auth events) is answered to one peer a few questions
 * at a time. The others of the same peer wait for their turn, so that a peer which asks for everything at once, honest
 * or not, slows down itself and nobody else. Whoever waits longer than anybody would is told so.
 */
import { MatrixError } from '../http/matrix-error.ts'
import type { Step } from '../http/route.ts'
import type { ServerName } from '../protocol/ids.ts'

export interface PeerTurns {
  /** Answered to one peer at the same time. */
  readonly atOnce: number
  /** Of one peer; more are refused. A peer that was away for long asks for all rooms of its first transactions. */
  readonly waiting: number
}

interface Line {
  busy: number
  readonly waiting: (() => void)[]
}

/** After `authenticate`. */
export function takeTurns({ atOnce, waiting }: PeerTurns = { atOnce: 4, waiting: 500 }): Step {
  const lines = new Map<ServerName, Line>()
  return async function takeTurn(ctx, next) {
    const { origin } = ctx.state
    const line = lines.get(origin) ?? { busy: 0, waiting: [] }
    lines.set(origin, line)
    if (line.busy < atOnce) line.busy++
    else {
      if (line.waiting.length >= waiting) throw tooMany()
      // Whoever goes hands on their place.
      await new Promise<void>(resolve => line.waiting.push(resolve))
    }
    try {
      // Nobody waits for the answer any more.
      if (!ctx.req.socket.destroyed) await next()
    } finally {
      const first = line.waiting.shift()
      if (first) first()
      else if (--line.busy === 0) lines.delete(origin)
    }
  }
}

function tooMany(): MatrixError {
  return new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many questions of this server wait for an answer.', {
    retry_after_ms: 5_000,
  })
}

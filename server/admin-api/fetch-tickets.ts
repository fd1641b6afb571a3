/**
 * Fetching a backup is a GET, which carries no confirmation; a person at a screen confirms by passkey first and gets a ticket: for one
 * backup, once, for two minutes. Tickets are in memory: a restart ends them.
 */
import { randomBytes } from 'node:crypto'
import { queryText } from '../http/fields.ts'
import { forbidden } from '../http/matrix-error.ts'
import type { Step } from '../http/route.ts'
import { actorOf, isSession } from './administrator.ts'

interface Ticket {
  readonly actor: string
  readonly name: string
  readonly untilMs: number
}

const lifetimeMs = 2 * 60_000
const most = 100

export interface FetchTickets {
  issue(actor: string, name: string): { readonly ticket: string; readonly expiresTs: number }
  /** Of whoever is signed in as a person. @param nameOf the backup that is asked for */
  require(nameOf: (params: Readonly<Record<string, string>>) => string): Step
}

export function openFetchTickets(clock: () => number): FetchTickets {
  const tickets = new Map<string, Ticket>()
  return {
    issue: (actor, name) => {
      if (tickets.size >= most) tickets.delete(tickets.keys().next().value!)
      const ticket = randomBytes(24).toString('base64url')
      const untilMs = clock() + lifetimeMs
      tickets.set(ticket, { actor, name, untilMs })
      return { ticket, expiresTs: untilMs }
    },
    require: nameOf =>
      async function requireTicket(ctx, next) {
        if (!isSession(ctx)) return next()
        const shown = queryText(ctx.query, 'ticket') ?? ''
        const ticket = tickets.get(shown)
        tickets.delete(shown)
        const isGood = ticket && ticket.actor === actorOf(ctx) && ticket.name === nameOf(ctx.state.params)
        if (isGood && clock() < ticket.untilMs) return next()
        throw forbidden(
          'A backup is fetched with a ticket, which is confirmed by passkey: POST /backup-tickets.',
        )
      },
  }
}

/** The audit: a page of it, all of it as JSON lines, and whether its chain is whole. */
import { Readable } from 'node:stream'
import type { Accounts } from '../accounts/accounts.ts'
import type { Audit } from '../accounts/audit.ts'
import { queryInteger, queryText } from '../http/fields.ts'
import type { Route, Step } from '../http/route.ts'

export function auditRoutes(accounts: Accounts, administrator: readonly Step[]): Route[] {
  const audit = '/_letro/admin/v1/audit'
  return [
    { method: 'GET', path: audit, steps: [...administrator, list(accounts.audit)] },
    { method: 'GET', path: `${audit}/export`, steps: [...administrator, exportLines(accounts.audit)] },
    { method: 'GET', path: `${audit}/check`, steps: [...administrator, check(accounts.audit)] },
  ]
}

function list(audit: Audit): Step {
  return async ctx => {
    const { query } = ctx
    const wanted = queryInteger(query, 'limit', 1, 500) ?? 100
    if (queryText(query, 'order') === 'newest') {
      const { entries, more } = await audit.find({
        before: queryInteger(query, 'from'),
        actor: queryText(query, 'actor'),
        target: queryText(query, 'target'),
        action: queryText(query, 'action'),
        limit: wanted,
      })
      ctx.body = { entries, ...(more ? { next_batch: entries.at(-1)!.sequence } : {}) }
      return
    }
    const entries = await audit.list({ after: queryInteger(ctx.query, 'from') ?? 0, limit: wanted })
    ctx.body = { entries, ...(entries.length === wanted ? { next_batch: entries.at(-1)!.sequence } : {}) }
  }
}

function exportLines(audit: Audit): Step {
  return ctx => {
    ctx.type = 'application/jsonl'
    ctx.set('Content-Disposition', 'attachment; filename="audit.jsonl"')
    ctx.body = Readable.from(lines(audit))
  }
}

export async function* lines(audit: Audit): AsyncIterable<string> {
  for await (const entry of audit.entries()) yield `${JSON.stringify(entry)}\n`
}

function check(audit: Audit): Step {
  return async ctx => {
    const verdict = await audit.check()
    ctx.body =
      verdict.kind === 'whole'
        ? { whole: true, entries: verdict.entries, hash: verdict.tip.hash }
        : { whole: false, sequence: verdict.sequence, reason: verdict.reason }
  }
}

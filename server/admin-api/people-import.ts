/**
 * People by CSV: what a list would change, and, with `apply`, the change. A list of one batch is applied whole or not at all; a longer one
 * batch by batch (accounts/roster.ts), while its answer begins with blanks, so that nobody takes the silence for an end.
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Accounts } from '../accounts/accounts.ts'
import type { NewLink } from '../accounts/enrolment.ts'
import type { RosterDone, RosterProgress, RosterReport } from '../accounts/roster.ts'
import { parseBodyUpTo } from '../http/body.ts'
import { mayBoolean, mayInteger, needString } from '../http/fields.ts'
import { MatrixError } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf, confirmedWhere } from './administrator.ts'
import { type CsvPerson, readPeopleCsv } from './people-csv.ts'
import { rosterSentence } from './roster-sentences.ts'

/** A hundred thousand lines with long names. */
const maxBytes = 16 * 1024 * 1024

export function peopleImportRoutes(
  accounts: Accounts,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  return [
    {
      method: 'POST',
      path: '/_letro/admin/v1/people/import',
      steps: [
        ...administrator,
        parseBodyUpTo(maxBytes),
        // A list moves ends, changes kinds and locks: what one by one asks for the passkey as well.
        confirmedWhere('apply', confirmation),
        importPeople(accounts),
      ],
    },
    {
      method: 'GET',
      path: '/_letro/admin/v1/people/import',
      steps: [...administrator, showProgress(accounts)],
    },
  ]
}

function importPeople({ roster }: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const csv = await readPeopleCsv(needString(body, 'csv', maxBytes))
    // The same list again goes on where a crash ended it.
    const list = createHash('sha256').update(String(body['csv'])).digest('base64url')
    const options = {
      list,
      lifetimeMs: mayInteger(body, 'lifetime_ms'),
      code: mayBoolean(body, 'code'),
      again: mayBoolean(body, 'again'),
      lockLeavers: mayBoolean(body, 'lock_leavers'),
    }
    const isApplied = mayBoolean(body, 'apply') ?? false
    const compared = await roster.compare(csv.people, list)
    const report = { ...compared, problems: [...csv.problems, ...compared.problems] }
    if (!isApplied || report.problems.length > 0) {
      const said = answer(report, new Map())
      if (!isApplied) ctx.body = said
      else throw new MatrixError(400, 'M_INVALID_PARAM', 'The list has problems: nothing was changed.', said)
      return
    }
    const applying = roster.apply(actorOf(ctx), csv.people, options)
    const first = await applying.next()
    if (first.done) ctx.body = answer(first.value.report, first.value.links)
    else {
      let done: RosterDone | undefined
      ctx.set('Content-Type', 'application/json')
      ctx.body = Readable.from(
        pieces(applying, value => {
          done = value
        }),
      )
      ctx.res.once('finish', () => void done?.delivered().catch(() => {}))
    }
  }
}

/** White space in front of JSON is JSON. */
async function* pieces(
  applying: AsyncGenerator<RosterProgress, RosterDone>,
  ended: (done: RosterDone) => void,
): AsyncGenerator<string> {
  for (;;) {
    const step = await applying.next()
    if (step.done) {
      yield JSON.stringify(answer(step.value.report, step.value.links))
      return ended(step.value)
    }
    yield ' '
  }
}

function showProgress({ roster }: Accounts): Step {
  return ctx => {
    ctx.body = { running: roster.progress && { ...roster.progress } }
  }
}

function answer(report: RosterReport, links: ReadonlyMap<UserId, NewLink>): JsonObject {
  const person = ({ entry, userId }: { entry: CsvPerson; userId: UserId }): JsonObject => {
    const link = links.get(userId)
    return {
      line: entry.line,
      user_id: userId,
      kind: entry.kind,
      ...(entry.displayName === undefined ? {} : { display_name: entry.displayName }),
      ...(entry.expiresTs === undefined ? {} : { expires_ts: entry.expiresTs }),
      ...(entry.language === undefined ? {} : { language: entry.language }),
      ...(link
        ? { link: link.url, link_expires_ts: link.expiresTs, ...(link.code ? { code: link.code } : {}) }
        : {}),
    }
  }
  return {
    new: report.newPeople.map(person),
    waiting: report.waiting.map(person),
    changed: report.changed.map(change => ({
      ...person(change),
      from: factsAnswer(change.from),
      to: factsAnswer(change.to),
    })),
    leavers: report.leavers.map(({ userId, account }) => ({
      user_id: userId,
      kind: account.kind,
      locked: account.locked === true,
    })),
    unchanged: report.unchanged,
    problems: report.problems.map(problem => ({
      line: problem.line,
      ...(problem.column === undefined ? {} : { column: problem.column }),
      code: problem.code,
      facts: { ...problem.facts },
      message: rosterSentence(problem),
    })),
  }
}

function factsAnswer({ kind, expiresTs, sponsor }: RosterReport['changed'][number]['to']): JsonObject {
  return {
    kind,
    ...(expiresTs === undefined ? {} : { expires_ts: expiresTs }),
    ...(sponsor === undefined ? {} : { sponsor }),
  }
}

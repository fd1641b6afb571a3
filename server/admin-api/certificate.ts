/**
 * The certificate that the server keeps itself: how it stands, renewing it, a request for the organisation's own authority, bringing
 * what that issued, and the files by which device management makes devices trust the private one.
 *
 * What is brought in is looked at first, so that the audit names only what was taken. An act that is in the audit and was cut off
 * left the old certificate or the new one, never half of each.
 */
import { parseBodyUpTo, parseOptionalBody } from '../http/body.ts'
import { mayBoolean, mayString, needString } from '../http/fields.ts'
import { invalidParam, MatrixError } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { AuditAct } from '../protocol/audit-chain.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf, confirmedWhere } from './administrator.ts'

/** Each rejects with a Matrix error code and a sentence where it is refused. */
export interface CertificateActs {
  /** false: tls.certificate names files, or a proxy answers people. */
  readonly isKept: boolean
  run(asked: JsonObject): Promise<JsonObject>
  /** Who brought in what it answers with. */
  note(actor: string, answer: JsonObject): void
}

export interface CertificateRouteDeps {
  readonly certificates: CertificateActs
  readonly audit: (act: AuditAct) => Promise<void>
}

/** A chain with its key, or PKCS #12, in base64. */
const maxBytes = 2 * 1024 * 1024

export function certificateRoutes(
  { certificates, audit }: CertificateRouteDeps,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const path = '/_letro/admin/v1/certificate'
  const kept: Step = async (_ctx, next) => {
    if (certificates.isKept) return next()
    throw new MatrixError(
      409,
      'M_UNKNOWN',
      'The server does not keep its certificate itself: tls.certificate names files, or a proxy stands before it.',
      { 'org.letro.reason': 'NOT_KEPT' },
    )
  }
  const show: Step = async ctx => {
    ctx.body = certificates.isKept
      ? { kept: true, ...(await certificates.run({ act: 'show' })) }
      : { kept: false }
  }
  const check: Step = async ctx => {
    ctx.body = await certificates.run({ act: 'check', ...broughtIn(ctx.state.body) })
  }
  const bring: Step = async ctx => {
    const brought = broughtIn(ctx.state.body)
    const { fingerprint_sha256, not_after_ts, names } = await certificates.run({ act: 'check', ...brought })
    const detail = { fingerprint_sha256: fingerprint_sha256!, not_after_ts: not_after_ts!, names: names! }
    await audit({ actor: actorOf(ctx), action: 'certificate.import', detail })
    const answer = await certificates.run({ act: 'import', ...brought, ...flags(ctx.state.body, 'now') })
    certificates.note(actorOf(ctx), answer)
    ctx.body = answer
  }
  const renew: Step = async ctx => {
    const how = flags(ctx.state.body, 'new_key', 'now')
    await audit({ actor: actorOf(ctx), action: 'certificate.renew', detail: how })
    const answer = await certificates.run({ act: 'renew', ...how })
    certificates.note(actorOf(ctx), answer)
    ctx.body = answer
  }
  const request: Step = async ctx => {
    const { body } = ctx.state
    const organisation = mayString(body, 'organisation', 64)
    const country = mayString(body, 'country', 2)
    if (country !== undefined && !/^[A-Z]{2}$/.test(country))
      throw invalidParam('country: two capitals, as in DE.')
    const how = flags(body, 'new_key')
    await audit({ actor: actorOf(ctx), action: 'certificate.request', detail: how })
    ctx.body = await certificates.run({
      act: 'request',
      ...how,
      ...(organisation === undefined ? {} : { organisation }),
      ...(country === undefined ? {} : { country }),
    })
  }
  const mdm: Step = async ctx => {
    ctx.body = await certificates.run({ act: 'mdm' })
  }
  const change = [...administrator, kept, parseOptionalBody, confirmation]
  const parseFile = parseBodyUpTo(maxBytes)
  return [
    { method: 'GET', path, steps: [...administrator, show] },
    { method: 'GET', path: `${path}/mdm`, steps: [...administrator, kept, mdm] },
    { method: 'POST', path: `${path}/renew`, steps: [...change, renew] },
    // A new key stands in the card from then on; the request alone gives nothing to anybody.
    {
      method: 'POST',
      path: `${path}/request`,
      steps: [...administrator, kept, parseOptionalBody, confirmedWhere('new_key', confirmation), request],
    },
    { method: 'POST', path: `${path}/check`, steps: [...administrator, kept, parseFile, check] },
    {
      method: 'POST',
      path: `${path}/import`,
      steps: [...administrator, kept, parseFile, confirmation, bring],
    },
  ]
}

/** `file`: base64 of PEM, DER or PKCS #12; `key`: PEM. */
function broughtIn(body: JsonObject): JsonObject {
  const key = mayString(body, 'key', maxBytes)
  const passphrase = mayString(body, 'passphrase', 1024)
  return {
    file: needString(body, 'file', maxBytes),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

function flags(body: JsonObject, ...names: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(names.flatMap(name => (mayBoolean(body, name) ? [[name, true]] : [])))
}

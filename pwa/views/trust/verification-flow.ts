/**
 * Which verification a tab shows, and which step of it. Pure.
 *
 * Someone else's request is shown in every tab; once it was answered, only in the tab that answered. Ours is shown where it was
 * made. A request in a room is known by the request's id until the room took it, then by its event's: so ours are recognised
 * by whom they were sent to.
 */
import type { Verification } from '../../e2ee/verification/flow.ts'

/** What this tab has to do with verifications. */
export interface Part {
  /** Flows that were accepted here. */
  readonly accepted: ReadonlySet<string>
  /** Those whom this tab asked. */
  readonly asked: ReadonlySet<string>
  /** Looked at and put away. */
  readonly closed: ReadonlySet<string>
}

export const noPart: Part = { accepted: new Set(), asked: new Set(), closed: new Set() }

/** Whom a request of ours goes to: our own devices, or a person in a room. */
export function askedKey({ userId, roomId }: Pick<Verification, 'userId' | 'roomId'>): string {
  return `${roomId ?? ''}|${userId}`
}

export function isOver({ phase }: Verification): boolean {
  return phase === 'done' || phase === 'cancelled'
}

/**
 * The one to show: what is going on here before what somebody asks, and what has ended last; of several the newest, which is
 * the last of the list.
 */
export function shownFlow(flows: readonly Verification[], part: Part): Verification | null {
  const candidates = flows.toReversed().filter(flow => concerns(flow, part))
  const rank = (flow: Verification) => (isOver(flow) ? 2 : isOurs(flow, part) ? 0 : 1)
  return candidates.toSorted((a, b) => rank(a) - rank(b))[0] ?? null
}

function concerns(flow: Verification, part: Part): boolean {
  if (part.closed.has(flow.flowId)) return false
  return isOurs(flow, part) || (flow.phase === 'requested' && !flow.requestedByUs)
}

function isOurs(flow: Verification, part: Part): boolean {
  return part.accepted.has(flow.flowId) || (flow.requestedByUs && part.asked.has(askedKey(flow)))
}

export type Screen =
  /** Somebody asks us. */
  | 'asked'
  /** We asked, and nobody has answered. */
  | 'asking'
  /** A code to show or to scan; words to compare as the other way. */
  | 'codes'
  | 'exchanging'
  | 'comparing'
  | 'waiting'
  /** We scanned a code that is right: the other end asks its person whether we say so. */
  | 'fits'
  /** Our code was scanned: does the other device say so too? */
  | 'scanned'
  | 'done'
  | 'cancelled'

export function screenOf({ phase, requestedByUs, sas }: Verification): Screen {
  switch (phase) {
    case 'requested':
      return requestedByUs ? 'asking' : 'asked'
    case 'ready':
      return 'codes'
    case 'waiting':
      return sas === null ? 'fits' : 'waiting'
    default:
      return phase
  }
}

/** What both ends can do, from ours. Scanning needs a camera here. */
export function waysOf(
  { methods }: Verification,
  hasCamera: boolean,
): { readonly show: boolean; readonly scan: boolean; readonly compare: boolean } {
  return {
    show: methods.includes('m.qr_code.show.v1'),
    scan: hasCamera && methods.includes('m.qr_code.scan.v1'),
    compare: methods.includes('m.sas.v1'),
  }
}

/** Why it ended, as the catalogue names it. Spec: client-server-api#mkeyverificationcancel */
export function endingOf({ cancelCode }: Verification): (typeof endings)[number] {
  return endings.find(ending => cancelCode === codes[ending]) ?? 'failed'
}

const endings = ['declined', 'timeout', 'accepted_elsewhere', 'mismatch', 'key_mismatch', 'failed'] as const
const codes: Record<(typeof endings)[number], string> = {
  declined: 'm.user',
  timeout: 'm.timeout',
  accepted_elsewhere: 'm.accepted',
  mismatch: 'm.mismatched_sas',
  key_mismatch: 'm.key_mismatch',
  failed: '',
}

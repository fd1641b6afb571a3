/**
 * The ways of verifying, and which of them two ends have in common.
 *
 * Spec: client-server-api#key-verification-framework. Showing a code on one end means scanning it on the other.
 */

export const verificationMethods = [
  'm.sas.v1',
  'm.qr_code.show.v1',
  'm.qr_code.scan.v1',
  'm.reciprocate.v1',
] as const
export type VerificationMethod = (typeof verificationMethods)[number]

/** Seen from our end: what we show, they have to scan. */
export function commonMethods(
  ours: readonly VerificationMethod[],
  theirs: readonly VerificationMethod[],
): VerificationMethod[] {
  const reciprocate = ours.includes('m.reciprocate.v1') && theirs.includes('m.reciprocate.v1')
  return ours.filter(method => {
    if (method === 'm.qr_code.show.v1') return reciprocate && theirs.includes('m.qr_code.scan.v1')
    if (method === 'm.qr_code.scan.v1') return reciprocate && theirs.includes('m.qr_code.show.v1')
    if (method === 'm.reciprocate.v1') return false
    return theirs.includes(method)
  })
}

/** Those of our methods that answer one of theirs, as `ready` names them. */
export function answerable(
  ours: readonly VerificationMethod[],
  theirs: readonly VerificationMethod[],
): VerificationMethod[] {
  const common = commonMethods(ours, theirs)
  const codes = common.some(method => method.startsWith('m.qr_code.'))
  return ours.filter(method => common.includes(method) || (codes && method === 'm.reciprocate.v1'))
}

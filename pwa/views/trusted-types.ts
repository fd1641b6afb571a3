/**
 * Trusted Types: the one policy of ours. It lets scripts of this origin become workers, and nothing else; HTML goes
 * through DOMPurify's own policy. Browsers without Trusted Types get the address as it is.
 */
interface Policy {
  createScriptURL(address: string): unknown
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): Policy
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes
const policy = factory?.createPolicy('letro', { createScriptURL: ofThisOrigin })

/** The address as what `new Worker` and `register` take; its type is a lie that the DOM's types need. */
export function scriptUrl(address: string): string {
  return policy ? (policy.createScriptURL(address) as string) : ofThisOrigin(address)
}

function ofThisOrigin(address: string): string {
  const url = new URL(address, location.href)
  if (url.origin !== location.origin) throw new TypeError('scripts come from this origin alone')
  return url.href
}

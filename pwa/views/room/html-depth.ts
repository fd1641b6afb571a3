/** How deep HTML nests, without parsing it. Spec: client-server-api#mroommessage-msgtypes: at most 100 levels. Pure. */
const deepest = 100
const closesItself = /^(?:br|hr|img|wbr|input|p|li|td|th|tr)$/

/** What never closes counts as open: an upper bound, which is what a limit needs. */
export function isNestedTooDeep(html: string): boolean {
  let depth = 0
  for (const [, slash, name] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)/gi)) {
    if (closesItself.test(name!.toLowerCase())) continue
    depth = slash ? Math.max(0, depth - 1) : depth + 1
    if (depth > deepest) return true
  }
  return false
}

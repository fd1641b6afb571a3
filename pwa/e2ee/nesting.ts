/**
 * How deep a value from outside goes. 64 kB of JSON can hold arrays 30,000 deep, and writing them again, as every
 * store does, would exhaust the stack: one message would then stop all that came with it.
 */
export const maxNesting = 64

export function isNestedTooDeep(value: unknown, levels = maxNesting): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(member => isNestedTooDeep(member, levels - 1))
}

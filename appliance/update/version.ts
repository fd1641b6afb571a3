/** Versions of releases: three numbers. Nothing else, for the boot loader and we must agree which one is newer. */
declare const tag: unique symbol
export type Version = string & { readonly [tag]: 'Version' }

export function parseVersion(text: unknown): Version | null {
  return typeof text === 'string' && /^(0|[1-9]\d{0,4})(\.(0|[1-9]\d{0,4})){2}$/.test(text)
    ? (text as Version)
    : null
}

/** Below zero: a is older than b. */
export function compareVersions(a: Version, b: Version): number {
  const [x, y] = [a, b].map(version => version.split('.').map(Number)) as [number[], number[]]
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return x[i]! - y[i]!
  return 0
}

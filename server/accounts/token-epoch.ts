/**
 * Tokens name the store's epoch that they were made in: `lta3_…` gives access, `ltr3_…` is exchanged for new ones.
 *
 * A restore begins another epoch. A token of one that is lost is not unknown but run out: its client must not forget everything.
 */

export function tokenPrefix(kind: 'access' | 'refresh', epoch: number): string {
  return `${kind === 'access' ? 'lta' : 'ltr'}${epoch}`
}

/** Tokens of releases that wrote no epoch are taken for ones of today. */
export function isOfEpoch(token: string, epoch: number): boolean {
  const [, made] = /^lt[ar](\d+)_/.exec(token) ?? []
  return made === undefined || Number(made) === epoch
}

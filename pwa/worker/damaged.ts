/**
 * Records of the vault that are damaged and must not read as absent. The vault says so whenever one is read; they are kept in
 * mind until a person gives them up or the vault is shut. Pure.
 */
export interface Damaged {
  readonly store: string
  readonly id: string
}

/** The keys of this device itself. */
export function isDevice({ store, id }: Damaged): boolean {
  return store === 'account' && id === 'account'
}

/** Nobody comes in before it is decided about: this device's keys, or whether our identity is ours. */
export function isInTheWay(damaged: Damaged, userId: string): boolean {
  return isDevice(damaged) || (damaged.store === 'identity' && damaged.id === userId)
}

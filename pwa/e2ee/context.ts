/**
 * What every handler of an input is given beside its step: who we are, the time, and randomness. It never changes while
 * the machine is open.
 */
import type { Account } from './account.ts'
import type { OwnDevice } from './own-device.ts'

export interface Context extends OwnDevice {
  readonly account: Account
}

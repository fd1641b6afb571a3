/** In the place of the way to the worker: answers from the fixture's world. */
import type { AccountOptions } from '../../../pwa/worker/account-client.ts'
import { world } from './world.ts'

export class AccountClient {
  constructor(_account: string, { onNotice }: AccountOptions) {
    world.onNotice = onNotice
  }
  readonly call = async (name: string, argument: unknown): Promise<unknown> => {
    // As through a worker: later, and as copies.
    await new Promise(resolve => setTimeout(resolve, 2))
    return structuredClone(await world.answer(name, argument))
  }
}

export function passkeyOpener(): null {
  return null
}

export async function askForPersistence(): Promise<boolean> {
  return true
}

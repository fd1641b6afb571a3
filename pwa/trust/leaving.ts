/** What the engine made is stored and leaves by itself. Where the server is not within reach just now, that is no failure. */
import { isPassing } from '../api/api-error.ts'
import type { TrustDeps } from './ports.ts'

export async function sendSoon({ flush }: Pick<TrustDeps, 'flush'>): Promise<void> {
  try {
    await flush()
  } catch (error) {
    if (!isPassing(error)) throw error
  }
}

/**
 * Challenges of WebAuthn ceremonies: random, single-use, short-lived, bound to what they were made for.
 *
 * Held in memory: a restart ends the ceremonies under way, and people press the button again. Bounded: where
 * somebody asks for too many, the oldest go.
 */
import { encodeBase64Url } from '../protocol/base64.ts'

export interface Challenges<Purpose> {
  /** base64url, 256 bits. */
  issue(purpose: Purpose): string
  /** What it was made for, once; null if unknown, used or too old. */
  take(challenge: string): Purpose | null
}

export const challengeLifetimeMs = 5 * 60 * 1000
const maxChallenges = 50_000

export function openChallenges<Purpose>(
  clock: () => number,
  randomBytes: (size: number) => Uint8Array,
): Challenges<Purpose> {
  // Insertion order is order of expiry: all live equally long.
  const open = new Map<string, { purpose: Purpose; expiresTs: number }>()

  const dropOld = () => {
    const now = clock()
    for (const [challenge, { expiresTs }] of open) {
      if (expiresTs > now && open.size < maxChallenges) return
      open.delete(challenge)
    }
  }

  return {
    issue: purpose => {
      dropOld()
      const challenge = encodeBase64Url(randomBytes(32))
      open.set(challenge, { purpose, expiresTs: clock() + challengeLifetimeMs })
      return challenge
    },
    take: challenge => {
      const found = open.get(challenge)
      open.delete(challenge)
      return found && found.expiresTs > clock() ? found.purpose : null
    },
  }
}

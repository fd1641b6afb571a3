/**
 * Rate limits: a token bucket for each person (or, where nobody is signed in, each network address) and kind
 * of act.
 *
 * A bucket is two numbers. It is made at the first request and dropped once it is full again or when there are
 * too many; so memory is bounded whatever addresses ask. An IPv6 address counts by its /64, which one
 * customer owns whole.
 *
 * Spec: client-server-api#rate-limiting
 */
import { MatrixError } from './matrix-error.ts'
import type { Step } from './route.ts'

export interface Limit {
  readonly perSecond: number
  readonly burst: number
}

/** Every kind of act that can be limited: what it covers, and what one person or address may do. */
export const limitDefaults = {
  login: { perSecond: 0.5, burst: 20, covers: 'sign-in attempts, refresh, passkey and enrolment ceremonies' },
  register: { perSecond: 0.1, burst: 10, covers: 'new accounts and questions about free names' },
  badToken: { perSecond: 2, burst: 60, covers: 'requests with an unknown access token' },
  send: { perSecond: 20, burst: 200, covers: 'messages, state events, redactions' },
  ephemeral: { perSecond: 20, burst: 200, covers: 'typing, receipts, read markers' },
  toDevice: { perSecond: 20, burst: 400, covers: 'to-device messages' },
  room: { perSecond: 0.5, burst: 30, covers: 'new rooms, upgrades, aliases' },
  membership: { perSecond: 2, burst: 60, covers: 'join, leave, invite, kick, ban, knock' },
  read: { perSecond: 50, burst: 500, covers: 'history, state, relations, search, sync' },
  keys: { perSecond: 20, burst: 400, covers: 'device keys, signatures, key backup' },
  account: { perSecond: 5, burst: 100, covers: 'profile, account data, devices, push rules' },
  directory: { perSecond: 5, burst: 60, covers: 'user and room directories' },
  upload: { perSecond: 2, burst: 50, covers: 'media uploads' },
  media: { perSecond: 50, burst: 500, covers: 'media downloads and thumbnails' },
  federation: { perSecond: 200, burst: 2000, covers: 'requests of one peer' },
  peerMembership: { perSecond: 5, burst: 500, covers: 'invites, knocks and joins that one peer brings' },
  admin: { perSecond: 20, burst: 200, covers: 'the administration API' },
} as const satisfies Readonly<Record<string, Limit & { covers: string }>>

export type LimitName = keyof typeof limitDefaults

/** A step that lets the request through or answers M_LIMIT_EXCEEDED. After `requireAccessToken` it counts the person. */
export function limit(name: LimitName): Step {
  return async function limit(ctx, next) {
    const { requester, address, limits } = ctx.state
    limits.take(name, requester === undefined ? `address ${address}` : requester.userId)
    await next()
  }
}

export interface RateLimits {
  /** Takes one token, or throws M_LIMIT_EXCEEDED. */
  take(name: LimitName, who: string): void
  /** Throws M_LIMIT_EXCEEDED where `take` would, and takes nothing: before work that may turn out to be wasted. */
  mustBeLeft(name: LimitName, who: string): void
}

export const noRateLimits: RateLimits = { take() {}, mustBeLeft() {} }

export interface RateLimitOptions {
  readonly limits: Readonly<Record<LimitName, Limit>>
  readonly clock: () => number
  /** Buckets kept for each kind of act. */
  readonly maxBuckets?: number
}

export function openRateLimits({ limits, clock, maxBuckets = 20_000 }: RateLimitOptions): RateLimits {
  const buckets = new Map<LimitName, Buckets>()
  for (const [name, limit] of Object.entries(limits)) {
    buckets.set(name as LimitName, new Buckets(limit, maxBuckets))
  }
  const refuse = (name: LimitName, waitMs: number) => {
    if (waitMs === 0) return
    throw new MatrixError(429, 'M_LIMIT_EXCEEDED', `Too many requests (${name}). Wait and try again.`, {
      retry_after_ms: waitMs,
    })
  }
  return {
    take: (name, who) => refuse(name, buckets.get(name)!.take(who, clock())),
    mustBeLeft: (name, who) => refuse(name, buckets.get(name)!.waitMs(who, clock())),
  }
}

interface Bucket {
  tokens: number
  at: number
}

class Buckets {
  #limit: Limit
  #max: number
  #buckets = new Map<string, Bucket>()

  constructor(limit: Limit, max: number) {
    this.#limit = limit
    this.#max = max
  }

  /** 0, or the milliseconds until there is a token. */
  waitMs(who: string, now: number): number {
    const { perSecond, burst } = this.#limit
    const bucket = this.#buckets.get(who)
    if (!bucket) return 0
    const tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1000)
    return tokens < 1 ? Math.ceil(((1 - tokens) / perSecond) * 1000) : 0
  }

  /** As `waitMs`; where it is 0, one token is gone. */
  take(who: string, now: number): number {
    const { perSecond, burst } = this.#limit
    let bucket = this.#buckets.get(who)
    if (!bucket) {
      if (this.#buckets.size >= this.#max) this.#makeRoom(now)
      bucket = { tokens: burst, at: now }
      this.#buckets.set(who, bucket)
    } else if (now > bucket.at) {
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000)
      bucket.at = now
    }
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1000)
    bucket.tokens -= 1
    return 0
  }

  /** Full buckets say nothing and go; if that frees too little, those that were made first go as well. */
  #makeRoom(now: number): void {
    const { perSecond, burst } = this.#limit
    for (const [who, bucket] of this.#buckets) {
      if (bucket.tokens + ((now - bucket.at) * perSecond) / 1000 >= burst) this.#buckets.delete(who)
    }
    const keep = Math.floor(this.#max * 0.9)
    for (const who of this.#buckets.keys()) {
      if (this.#buckets.size <= keep) break
      this.#buckets.delete(who)
    }
  }
}

/** The part of an address that one customer owns. */
export function addressGroup(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  if (address.startsWith('::ffff:')) return address.slice(7)
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('%')[0]!.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = address.includes('::') ? Array(Math.max(0, 8 - before.length - after.length)).fill('0') : []
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`
}

/**
 * What the app must know of its server before anybody signs in.
 *
 * `GET /_letro/client/v1/app`, to anybody: `{server_name, demo, push: {allowed, vapid_public_key?}, presence:
 * {enabled}, policy: {lock_after_days}}`. `demo`: null, or who can be signed in with one click (demo.ts). `lock_after_days`: a device that
 * had no contact for so long locks itself; 0: never.
 */
import type { Route } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'

export interface AppInfoDeps {
  readonly serverName: string
  /** Null: this is no demonstration. */
  readonly demo: () => JsonObject | null
  /** The VAPID key that subscriptions are made for, unpadded base64url; null: no vendor's host is allowed. */
  readonly vapidPublicKey: string | null
  /** Whether people see who is there. */
  readonly hasPresence: boolean
  readonly lockAfterDays: () => number
}

export function appInfoRoutes({
  serverName,
  demo,
  vapidPublicKey,
  hasPresence,
  lockAfterDays,
}: AppInfoDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/_letro/client/v1/app',
      steps: [
        ctx => {
          ctx.body = {
            server_name: serverName,
            demo: demo(),
            push:
              vapidPublicKey === null
                ? { allowed: false }
                : { allowed: true, vapid_public_key: vapidPublicKey },
            presence: { enabled: hasPresence },
            policy: { lock_after_days: lockAfterDays() },
          }
        },
      ],
    },
  ]
}

/**
 * Pushers. Spec: client-server-api#get_matrixclientv3pushers, #post_matrixclientv3pushersset
 *
 * Our kind is `org.letro.webpush`: `data.subscription` is the browser's PushSubscription as JSON. Its host must be one that
 * the configuration allows (`push.hosts`).
 * Deviation: pushers of kind `http` and `email` are refused. A push gateway would learn event ids, rooms and senders.
 */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, mayString, needObject, needString } from '../http/fields.ts'
import { forbidden, invalidParam, MatrixError } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Pusher, Pushers } from '../push/pushers.ts'
import { areSubscriptionKeys, isAllowedEndpoint, type Subscription } from '../push/web-push.ts'

export interface PusherRouteDeps {
  readonly accounts: TokenReader
  readonly pushers: Pushers
  /** Hosts of push services; none: push is off. */
  readonly hosts: readonly string[]
}

const webPushKind = 'org.letro.webpush'

export function pusherRoutes({ accounts, pushers, hosts }: PusherRouteDeps): Route[] {
  const base = '/_matrix/client/v3/pushers'
  return [
    {
      method: 'GET',
      path: base,
      steps: [requireAccessToken(accounts), limit('read'), listPushers(pushers)],
    },
    {
      method: 'POST',
      path: `${base}/set`,
      steps: [requireAccessToken(accounts), limit('account'), parseBody, setPusher(pushers, hosts)],
    },
  ]
}

function listPushers(pushers: Pushers): Step {
  return async ctx => {
    ctx.body = { pushers: (await pushers.of(ctx.state.requester.userId)).map(pusherAnswer) }
  }
}

function setPusher(pushers: Pushers, hosts: readonly string[]): Step {
  return async ctx => {
    const { body, requester } = ctx.state
    const { userId, deviceId } = requester
    const appId = needString(body, 'app_id', 64)
    const pushKey = needString(body, 'pushkey', 512)
    ctx.body = {}
    if (body['kind'] === null) return pushers.remove({ userId, appId, pushKey })
    if (needString(body, 'kind') !== webPushKind)
      throw new MatrixError(400, 'M_UNKNOWN', `kind: this server rings browsers only (${webPushKind}).`)
    const profileTag = mayString(body, 'profile_tag', 100)
    await pushers.set(
      {
        userId,
        deviceId,
        appId,
        pushKey,
        appDisplayName: needString(body, 'app_display_name', 256),
        deviceDisplayName: needString(body, 'device_display_name', 256),
        lang: needString(body, 'lang', 35),
        ...(profileTag === undefined ? {} : { profileTag }),
        ...subscriptionOf(needObject(body, 'data'), hosts),
      },
      mayBoolean(body, 'append') ?? false,
    )
  }
}

function subscriptionOf(data: JsonObject, hosts: readonly string[]): Subscription {
  const subscription = needObject(data, 'subscription')
  const endpoint = needString(subscription, 'endpoint', 2_000)
  const keys = needObject(subscription, 'keys')
  const [p256dh, auth] = [needString(keys, 'p256dh', 200), needString(keys, 'auth', 100)]
  if (hosts.length === 0)
    throw forbidden('Push is off on this server: its administrator has allowed no push service (push.hosts).')
  if (!isAllowedEndpoint(endpoint, hosts))
    throw forbidden(
      'data.subscription.endpoint is at no push service that this server may reach (push.hosts).',
    )
  if (!areSubscriptionKeys(p256dh, auth))
    throw invalidParam('data.subscription.keys are not those of a push subscription (RFC 8291).')
  return { endpoint, p256dh, auth }
}

function pusherAnswer(pusher: Pusher): JsonObject {
  return {
    app_id: pusher.appId,
    pushkey: pusher.pushKey,
    kind: webPushKind,
    app_display_name: pusher.appDisplayName,
    device_display_name: pusher.deviceDisplayName,
    lang: pusher.lang,
    ...(pusher.profileTag === undefined ? {} : { profile_tag: pusher.profileTag }),
    'org.letro.device_id': pusher.deviceId,
    // The rest of a subscription would let its reader ring.
    data: { host: new URL(pusher.endpoint).host },
  }
}

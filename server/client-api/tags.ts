/** Tags of rooms, kept as the room's account data `m.tag`. Spec: client-server-api#room-tagging */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { roomId } from '../http/fields.ts'
import { badJson, invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { needOwnUser } from './account-data.ts'

const maxTagBytes = 255
const maxTags = 100

export function tagRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  const authenticate = requireAccessToken(accounts)
  const all = '/_matrix/client/v3/user/:userId/rooms/:roomId/tags'
  const one = '/_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag'
  const write = [authenticate, limit('account'), needOwnUser]
  return [
    { method: 'GET', path: all, steps: [authenticate, limit('read'), needOwnUser, listTags(accounts)] },
    { method: 'PUT', path: one, steps: [...write, parseBody, setTag(accounts)] },
    { method: 'DELETE', path: one, steps: [...write, removeTag(accounts)] },
  ]
}

function listTags(accounts: Accounts): Step {
  return async ctx => {
    const room = roomId(ctx.state.params['roomId'], 'roomId')
    const content = await accounts.accountData.get(ctx.state.requester.userId, room, 'm.tag')
    ctx.body = { tags: tagsOf(content) }
  }
}

function setTag(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const tag = ctx.state.params['tag']!
    if (Buffer.byteLength(tag) > maxTagBytes) throw invalidParam(`tag is longer than ${maxTagBytes} bytes.`)
    // Spec: "a number in a range [0,1]": a fraction, which is legal outside events.
    const { order } = body
    if (order !== undefined && typeof order !== 'number') throw badJson('order must be a number.')
    if (order !== undefined && (order < 0 || order > 1)) throw invalidParam('order must lie between 0 and 1.')
    await change(accounts, ctx, tags => {
      if (!(tag in tags) && Object.keys(tags).length >= maxTags)
        throw invalidParam(`A room has at most ${maxTags} tags.`)
      return { ...tags, [tag]: body }
    })
  }
}

function removeTag(accounts: Accounts): Step {
  return ctx =>
    change(accounts, ctx, tags => {
      const { [ctx.state.params['tag']!]: _, ...rest } = tags
      return rest
    })
}

async function change(
  accounts: Accounts,
  ctx: Context,
  next: (tags: JsonObject) => JsonObject,
): Promise<void> {
  const room = roomId(ctx.state.params['roomId'], 'roomId')
  await accounts.accountData.change(ctx.state.requester.userId, room, 'm.tag', content => ({
    ...content,
    tags: next(tagsOf(content)),
  }))
  ctx.body = {}
}

function tagsOf(content: JsonObject | null): JsonObject {
  const tags = content?.['tags']
  return isObject(tags) ? tags : {}
}

/**
 * Acts that the access token of an administrator is not enough for: whoever took it from a browser can read, but neither lock
 * anybody out, nor pin a server, nor make themselves an account. The administrator shows the passkey, for this one act with
 * this very body (client-server-api#user-interactive-authentication-api). Other ways in prove themselves by what they are: the
 * token file and the socket by their place on the disk, a command line by the passkey that allowed it.
 */
import type { Context, Step } from '../http/route.ts'
import { isSession } from './administrator.ts'

/** False: what is asked for is written as the answer. See client-api/interactive-auth.ts. */
export type ConfirmedByPasskey = (ctx: Context) => Promise<boolean>

/** After `requireAdministrator` and `parseBody`. `unless`: bodies that do nothing of the kind. */
export function requireFreshPasskey(
  confirmed: ConfirmedByPasskey,
  unless: (body: Context['state']['body']) => boolean = () => false,
): Step {
  return async function requireFreshPasskey(ctx, next) {
    if (!isSession(ctx) || unless(ctx.state.body) || (await confirmed(ctx))) await next()
  }
}

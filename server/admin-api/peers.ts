/** Peers and our own card, for administrators: each route is one of the acts of peer-acts.ts. */
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayBoolean } from '../http/fields.ts'
import { missingParam } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import { actorOf } from './administrator.ts'
import type { PeerAct, PeerActs } from './peer-acts.ts'

export function peerRoutes(acts: PeerActs, administrator: readonly Step[], confirmation: Step): Route[] {
  const peers = '/_letro/admin/v1/peers'
  const one = `${peers}/:serverName`
  const card = '/_letro/admin/v1/site-card'
  const suspendOrResume: PeerAct = (by, body) => {
    const suspended = mayBoolean(body, 'suspended')
    if (suspended === undefined) throw missingParam('suspended')
    return suspended ? acts.suspend(by, body) : acts.resume(by, body)
  }
  const change = [...administrator, parseBody, confirmation]
  const mayChange = [...administrator, parseOptionalBody, confirmation]
  return [
    { method: 'GET', path: peers, steps: [...administrator, run(acts.list)] },
    { method: 'POST', path: peers, steps: [...change, run(acts.pin)] },
    { method: 'POST', path: `${peers}/check`, steps: [...administrator, parseBody, run(acts.check)] },
    { method: 'GET', path: one, steps: [...administrator, run(acts.show)] },
    { method: 'PUT', path: one, steps: [...change, run(acts.change)] },
    { method: 'DELETE', path: one, steps: [...mayChange, run(acts.remove)] },
    { method: 'PUT', path: `${one}/suspended`, steps: [...change, run(suspendOrResume)] },
    { method: 'POST', path: `${one}/rotate`, steps: [...change, run(acts.rotate)] },
    { method: 'GET', path: card, steps: [...administrator, run(acts['our-card'])] },
    {
      method: 'POST',
      path: `${card}/rotate-key`,
      steps: [...mayChange, run(acts['rotate-our-key'])],
    },
  ]
}

/** The server in the path is the one that is meant, whatever the body says. */
function run(act: PeerAct): Step {
  return async ctx => {
    const { params, body } = ctx.state
    const { auth: _, ...asked } = body ?? {}
    const named = params['serverName'] === undefined ? {} : { server_name: params['serverName'] }
    ctx.body = await act(actorOf(ctx), { ...asked, ...named })
  }
}

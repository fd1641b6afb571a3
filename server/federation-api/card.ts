/**
 * Cards between sites that pin each other.
 *
 * Ours is given to peers. Theirs is taken from whoever brings it, without a signed request: it bears its root's
 * signature, and two sites that changed their keys at the same time could not sign requests to each other otherwise.
 * Whoever brings a card learns nothing from the answer, which is the same for all that was not taken.
 */
import { readBody } from '../http/body.ts'
import { forbidden } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import { parseJsonObject } from '../http/strict-json.ts'
import type { PeerBook } from '../peers/peer-book.ts'
import { type Card, maxCardBytes } from '../protocol/card.ts'
import { parseServerName } from '../protocol/ids.ts'

export interface CardDeps {
  readonly authenticate: Step
  readonly ourCard: () => Card
  readonly peers: Pick<PeerBook, 'get' | 'offerCard'>
}

const path = '/_letro/federation/v1/card'

export function cardRoutes({ authenticate, ourCard, peers }: CardDeps): Route[] {
  const showCard: Step = ctx => {
    ctx.body = ourCard().json
  }
  const takeCard: Step = async function takeCard(ctx) {
    ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
    const bytes = await readBody(ctx, maxCardBytes)
    const card = bytes === null ? {} : parseJsonObject(bytes)
    const server = parseServerName(card['server_name'])
    if (!server || !peers.get(server)) throw notTaken()
    await peers.offerCard(server, card).catch(() => {
      throw notTaken()
    })
    ctx.body = {}
  }
  return [
    { method: 'GET', path, steps: [authenticate, showCard] },
    { method: 'PUT', path, steps: [takeCard] },
  ]
}

function notTaken() {
  return forbidden('This server takes no such card.')
}

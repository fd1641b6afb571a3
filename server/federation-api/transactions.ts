/**
 * Transactions of peers: events and what is no event, each judged by itself.
 *
 * One at a time for each peer, in the order in which they come. A repeated one gets the answer of the first while we
 * remember it; after that, repeating it changes nothing: events are known by their ids, messages between devices by
 * their message ids. 200 is answered when what became of every event is durable.
 *
 * Spec: server-server-api#put_matrixfederationv1sendtxnid
 */
import type { Route, Step } from '../http/route.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import type { InboundRooms } from '../rooms/inbound-rooms.ts'
import { bodyList } from './peer-request.ts'

const toDevice = 'm.direct_to_device'
const maxPdus = 50
const maxEdus = 100
/** For each peer: what a retry after a lost answer asks for. */
const maxAnswers = 20

/**
 * What takes one EDU of a peer. It throws nothing that matters to the others. A message between devices has its place among
 * those to the same person when this is called, not when it resolves.
 */
export type TakeEdu = (origin: ServerName, type: string, content: JsonObject) => Promise<void>

export interface TransactionDeps {
  readonly authenticate: Step
  readonly rooms: Pick<InboundRooms, 'takeTransaction'>
  readonly takeEdu: TakeEdu
}

/** Of one peer. */
interface Line {
  last: Promise<unknown>
  readonly answers: Map<string, Promise<JsonObject>>
}

export function transactionRoutes({ authenticate, rooms, takeEdu }: TransactionDeps): Route[] {
  const lines = new Map<ServerName, Line>()

  const takeTransaction: Step = async function takeTransaction(ctx) {
    const { origin, params } = ctx.state
    const pdus = bodyList(ctx, 'pdus', maxPdus)
    const edus = bodyList(ctx, 'edus', maxEdus)
    const line = lines.get(origin) ?? { last: Promise.resolve(), answers: new Map() }
    lines.set(origin, line)
    ctx.body = await answerOnce(line, params['txnId']!, () => take(origin, pdus, edus))
  }

  async function take(origin: ServerName, pdus: readonly Json[], edus: readonly Json[]): Promise<JsonObject> {
    const parsed = edus.flatMap(edu => {
      const { edu_type: type, content } = isObject(edu) ? edu : {}
      return typeof type === 'string' && isObject(content) ? [{ type, content }] : []
    })
    const messages = parsed.filter(({ type }) => type === toDevice)
    const others = parsed.filter(({ type }) => type !== toDevice)
    // Messages between devices carry the keys of the events beside them: they go first, and become durable together.
    await Promise.all(messages.map(({ type, content }) => takeEdu(origin, type, content)))
    const results = await rooms.takeTransaction(origin, pdus)
    // All else comes after the events that it may speak of: receipts, and the devices of those who just joined.
    for (const { type, content } of others) await takeEdu(origin, type, content)
    return { pdus: Object.fromEntries(results) as JsonObject }
  }

  return [
    { method: 'PUT', path: '/_matrix/federation/v1/send/:txnId', steps: [authenticate, takeTransaction] },
  ]
}

/** What failed is not remembered: the peer sends it again. */
function answerOnce(line: Line, txnId: string, act: () => Promise<JsonObject>): Promise<JsonObject> {
  const known = line.answers.get(txnId)
  if (known) return known
  const answer = line.last.then(act)
  line.last = answer.catch(() => line.answers.delete(txnId))
  line.answers.set(txnId, answer)
  if (line.answers.size > maxAnswers) line.answers.delete(line.answers.keys().next().value!)
  return answer
}

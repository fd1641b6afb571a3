/**
 * Transactions of peers: events and what is no event, each judged by itself.
 *
 * One at a time for each peer, in the order in which they come. A repeated one gets the answer of the first while we
 * remember it; after that, repeating it changes nothing: events are known by their ids, messages between devices by
 * their message ids. 200 is answered when what became of every event is durable.
 *
 * What a peer sends just before its line goes dead may stand on events that it can no more be asked for. Answered with 200
 * it would be lost here for good, and with it who was put out of a room. It is sent back whole instead, a few times.
 *
 * Spec: server-server-api#put_matrixfederationv1sendtxnid
 */
import { MatrixError } from '../http/matrix-error.ts'
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
/** In a row, for each peer: one that we never reach must not wait for ever with all that it has. */
const maxSentBack = 3

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
  sentBack: number
}

export function transactionRoutes({ authenticate, rooms, takeEdu }: TransactionDeps): Route[] {
  const lines = new Map<ServerName, Line>()

  const takeTransaction: Step = async function takeTransaction(ctx) {
    const { origin, params } = ctx.state
    const pdus = bodyList(ctx, 'pdus', maxPdus)
    const edus = bodyList(ctx, 'edus', maxEdus)
    const line = lines.get(origin) ?? { last: Promise.resolve(), answers: new Map(), sentBack: 0 }
    lines.set(origin, line)
    ctx.body = await answerOnce(line, params['txnId']!, () => take(line, origin, pdus, edus))
  }

  async function take(
    line: Line,
    origin: ServerName,
    pdus: readonly Json[],
    edus: readonly Json[],
  ): Promise<JsonObject> {
    const parsed = edus.flatMap(edu => {
      const { edu_type: type, content } = isObject(edu) ? edu : {}
      return typeof type === 'string' && isObject(content) ? [{ type, content }] : []
    })
    const messages = parsed.filter(({ type }) => type === toDevice)
    const others = parsed.filter(({ type }) => type !== toDevice)
    // Messages between devices carry the keys of the events beside them: they go first, and become durable together.
    await Promise.all(messages.map(({ type, content }) => takeEdu(origin, type, content)))
    const results = await rooms.takeTransaction(origin, pdus)
    const isIncomplete = [...results.values()].some(({ mayComeAgain }) => mayComeAgain)
    if (isIncomplete && line.sentBack++ < maxSentBack) {
      const sentence = `Events stand on others, and ${origin} did not answer when it was asked for them.`
      throw new MatrixError(503, 'M_UNKNOWN', sentence)
    }
    if (!isIncomplete) line.sentBack = 0
    // All else comes after the events that it may speak of: receipts, and the devices of those who just joined.
    for (const { type, content } of others) await takeEdu(origin, type, content)
    return {
      pdus: Object.fromEntries(Array.from(results, ([id, { error }]) => [id, error ? { error } : {}])),
    }
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

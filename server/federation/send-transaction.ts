/**
 * One transaction to a peer. Spec: server-server-api#transactions
 *
 * 200 says that the peer has taken the transaction as a whole; what it thinks of each event is its own affair.
 */
import type { Edu } from '../peers/outbound.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { type FederationClient, pathOf } from './client.ts'

/** Spec: server-server-api#put_matrixfederationv1sendtxnid */
export const maxPdus = 50
export const maxEdus = 100

export interface OutgoingTransaction {
  readonly txnId: string
  readonly originServerTs: number
  readonly pdus: readonly JsonObject[]
  readonly edus: readonly Edu[]
}

/** A peer works through the whole transaction before it answers, and may have to ask us for what it misses. */
const timeoutMs = 120_000

/** Answers with what the peer said of events that it did not take. @throws RemoteError */
export async function sendTransaction(
  client: FederationClient,
  origin: ServerName,
  server: ServerName,
  { txnId, originServerTs, pdus, edus }: OutgoingTransaction,
): Promise<ReadonlyMap<string, string>> {
  const answer = await client.json(server, {
    method: 'PUT',
    path: pathOf`/v1/send/${txnId}`,
    body: {
      origin,
      origin_server_ts: originServerTs,
      pdus,
      edus: edus as unknown as readonly JsonObject[],
    },
    timeoutMs,
  })
  const results = isObject(answer['pdus']) ? Object.entries(answer['pdus']) : []
  return new Map(
    results.flatMap(([eventId, result]) =>
      isObject(result) && typeof result['error'] === 'string' ? [[eventId, result['error']] as const] : [],
    ),
  )
}

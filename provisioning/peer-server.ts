/** What `letro peer` asks of the running server: the peers' part of the administration API (server/admin-api/README.md). */
import type { JsonObject } from '#protocol/json.ts'
import type { ShownPeer } from './peer-text.ts'
import type { ServerConnection } from './server-connection.ts'

const one = (server: string) => `/peers/${encodeURIComponent(server)}`

export async function peersOf(server: ServerConnection): Promise<readonly ShownPeer[]> {
  return shown((await server.ask('GET', '/peers'))['peers'])
}

export async function showPeer(server: ServerConnection, name: string): Promise<ShownPeer> {
  return shown(await server.ask('GET', one(name)))
}

/** @param terms as the administration API takes them */
export async function changePeer(
  server: ServerConnection,
  name: string,
  terms: JsonObject,
): Promise<ShownPeer> {
  return shown(await server.ask('PUT', one(name), terms))
}

export async function setSuspended(
  server: ServerConnection,
  name: string,
  suspended: boolean,
): Promise<ShownPeer> {
  return shown(await server.ask('PUT', `${one(name)}/suspended`, { suspended }))
}

export async function removePeer(server: ServerConnection, name: string): Promise<void> {
  await server.ask('DELETE', one(name))
}

/** What a card says, and the pin that it would replace. Changes nothing. */
export async function checkCard(server: ServerConnection, card: JsonObject): Promise<ShownPeer | null> {
  return shown((await server.ask('POST', '/peers/check', { card }))['pinned'])
}

export async function pin(server: ServerConnection, body: JsonObject): Promise<ShownPeer> {
  return shown(await server.ask('POST', '/peers', body))
}

export async function rotateKeyOf(
  server: ServerConnection,
  name: string,
  key: string,
  fingerprint: string,
): Promise<ShownPeer> {
  return shown(await server.ask('POST', `${one(name)}/rotate`, { key, fingerprint }))
}

function shown<T>(answer: unknown): T {
  return answer as T
}

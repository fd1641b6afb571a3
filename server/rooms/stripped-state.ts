/**
 * What somebody who is not in the room is shown of it with an invite or a knock.
 *
 * Spec: client-server-api#stripped-state
 */
import type { JsonObject } from '../protocol/json.ts'
import type { StateLayer } from './state-layer.ts'
import type { StoredEvent } from './stored-event.ts'

const shownTypes = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
]

/** What another server is told of the room with an invite or after a knock: the events themselves, which it can check. */
export function identifyingState(state: StateLayer, inviter?: string): StoredEvent[] {
  const shown = shownTypes.map(type => state.get(type, ''))
  if (inviter !== undefined) shown.push(state.get('m.room.member', inviter))
  return shown.filter(event => event !== undefined)
}

/** `state` holds the room with the invite or knock in it. The sender's own membership tells who invites. */
export function strippedStateFor(state: StateLayer, event: StoredEvent): JsonObject[] {
  const shown = shownTypes.map(type => state.get(type, ''))
  shown.push(state.get('m.room.member', event.sender))
  if (event.stateKey !== event.sender) shown.push(event)
  return shown.filter(stateEvent => stateEvent !== undefined).map(stripped)
}

function stripped({ type, sender, stateKey, content }: StoredEvent): JsonObject {
  return { type, state_key: stateKey, sender, content }
}

/**
 * A sync's result as the JSON text that the client gets.
 *
 * Written by hand, so that what is the same for every reader of an event is made into text once
 * (`clientEventText`); everything else goes through JSON.stringify. Empty sections outside rooms are left out.
 * Spec: client-server-api#get_matrixclientv3sync (response).
 */
import type { EventId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { clientEventText, clientEventWithoutRoomId, type Reader, type Shown } from '../rooms/client-event.ts'
import type { RoomEvent } from '../rooms/rooms.ts'
import { pickFields } from './event-fields.ts'
import type { SyncFilter } from './filter.ts'
import type { JoinedRoom, LeftRoom, StrippedRoom, SyncResult } from './result.ts'
import type { RoomSummary } from './summary.ts'
import { writeSyncToken } from './token.ts'

type WriteEvent = (event: RoomEvent, shown?: Shown) => string

export interface WriteOptions {
  /** The events as other servers get them, for filters with `event_format: federation`. */
  readonly pdus?: ReadonlyMap<EventId, JsonObject> | undefined
  /** How the client that asked for the state after the timeline calls it. */
  readonly stateAfterName?: 'state_after' | 'org.matrix.msc4222.state_after'
}

export function writeSyncResult(
  result: SyncResult,
  reader: Reader,
  filter: SyncFilter,
  { pdus, stateAfterName = 'state_after' }: WriteOptions = {},
): string {
  const write = eventWriter(reader, filter, pdus)
  const parts = [`{"next_batch":"${writeSyncToken(result.next)}"`]
  const { accountData, toDevice, deviceLists } = result
  if (accountData.length > 0) parts.push(`"account_data":${JSON.stringify({ events: accountData })}`)
  const rooms = roomSections(result, result.stateAfter ? stateAfterName : 'state', write)
  if (rooms) parts.push(`"rooms":{${rooms}}`)
  if (result.presence.length > 0) parts.push(`"presence":${JSON.stringify({ events: result.presence })}`)
  if (toDevice.length > 0) parts.push(`"to_device":${JSON.stringify({ events: toDevice })}`)
  if (deviceLists && (deviceLists.changed.length > 0 || deviceLists.left.length > 0))
    parts.push(`"device_lists":${JSON.stringify({ changed: deviceLists.changed, left: deviceLists.left })}`)
  parts.push(`"device_one_time_keys_count":${JSON.stringify(result.oneTimeKeyCounts)}`)
  parts.push(`"device_unused_fallback_key_types":${JSON.stringify(result.unusedFallbackKeyTypes)}`)
  return `${parts.join(',')}}`
}

/** All events of a result, for whoever has to fetch their other form first. */
export function eventsOf(result: SyncResult): EventId[] {
  return [...result.joined, ...result.left].flatMap(({ timeline, state }) => [
    ...timeline.events.map(({ event }) => event.eventId),
    ...state.map(event => event.eventId),
  ])
}

function eventWriter(
  reader: Reader,
  { eventFields, eventFormat }: SyncFilter,
  pdus: ReadonlyMap<EventId, JsonObject> | undefined,
): WriteEvent {
  if (eventFormat === 'federation') {
    return (event, shown) => {
      const whole = shown?.erased ? undefined : pdus?.get(event.eventId)
      const pdu = whole ?? clientEventWithoutRoomId(event, reader)
      return JSON.stringify(eventFields ? pickFields(pdu, eventFields) : pdu)
    }
  }
  if (eventFields) {
    return (event, shown) =>
      JSON.stringify(pickFields(clientEventWithoutRoomId(event, reader, shown), eventFields))
  }
  return (event, shown) => clientEventText(event, reader, shown)
}

function roomSections(result: SyncResult, stateName: string, write: WriteEvent): string {
  const sections: string[] = []
  const add = <R extends { readonly roomId: string }>(
    name: string,
    rooms: readonly R[],
    text: (room: R) => string,
  ) => {
    if (rooms.length === 0) return
    const entries = rooms.map(room => `${JSON.stringify(room.roomId)}:${text(room)}`)
    sections.push(`"${name}":{${entries.join(',')}}`)
  }
  add('join', result.joined, room => joinedText(room, stateName, write))
  add('invite', result.invited, room => strippedText('invite_state', room))
  add('knock', result.knocked, room => strippedText('knock_state', room))
  add('leave', result.left, room => `{${leftParts(room, stateName, write).join(',')}}`)
  return sections.join(',')
}

// A room always has all its sections, empty ones too: older clients and test suites look into them unasked.
const noEvents = '{"events":[]}'

function joinedText(room: JoinedRoom, stateName: string, write: WriteEvent): string {
  const { summary, ephemeral, unread, unreadThreads } = room
  const parts = [
    ...leftParts(room, stateName, write),
    `"ephemeral":${ephemeral.length > 0 ? JSON.stringify({ events: ephemeral }) : noEvents}`,
    `"summary":${summary ? summaryText(summary) : '{}'}`,
    `"unread_notifications":${countsText(unread)}`,
  ]
  if (unreadThreads && unreadThreads.size > 0) {
    const threads = [...unreadThreads].map(([root, tally]) => `${JSON.stringify(root)}:${countsText(tally)}`)
    parts.push(`"unread_thread_notifications":{${threads.join(',')}}`)
  }
  return `{${parts.join(',')}}`
}

function leftParts(
  { timeline, state, accountData }: LeftRoom,
  stateName: string,
  write: WriteEvent,
): readonly string[] {
  const events = timeline.events.map(({ event, shown }) => write(event, shown)).join(',')
  const items = accountData.map(({ type, content }) => ({ type, content }))
  return [
    `"timeline":{"events":[${events}],"limited":${timeline.limited},"prev_batch":"${timeline.prevBatch}"}`,
    // Spec: `state_after` is required where it was asked for, even if it is empty, and `state` must then be absent.
    `"${stateName}":{"events":[${state.map(event => write(event)).join(',')}]}`,
    `"account_data":${items.length > 0 ? JSON.stringify({ events: items }) : noEvents}`,
  ]
}

function summaryText({ heroes, joined, invited }: RoomSummary): string {
  return JSON.stringify({
    ...(heroes ? { 'm.heroes': heroes } : {}),
    'm.joined_member_count': joined,
    'm.invited_member_count': invited,
  })
}

function countsText(tally: { readonly notifications: number; readonly highlights: number }): string {
  return `{"highlight_count":${tally.highlights},"notification_count":${tally.notifications}}`
}

function strippedText(name: string, { state }: StrippedRoom): string {
  return JSON.stringify({ [name]: { events: state } })
}

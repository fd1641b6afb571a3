/** Lets the people of the demonstration live through their history: with their own keys, through the real server. */
import type { JsonObject } from '../../server/protocol/json.ts'
import { DemoDevice } from './demo-device.ts'
import { type DemoServer, userIdOf } from './demo-server.ts'
import { drawFile } from './files.ts'
import { history, type Line } from './history.ts'
import { type Name, people, type Room, type RoomKey, rooms, serverName } from './organisation.ts'

const dayMs = 24 * 60 * 60 * 1000
/** The organisation began to write so long ago. */
export const historyMs = 14 * dayMs

/** @param say how far it is: lines written, and of how many */
export async function liveThrough(
  server: DemoServer,
  nowTs: number,
  say: (done: number, of: number) => void,
): Promise<ReadonlyMap<Name, DemoDevice>> {
  server.setClock(nowTs - historyMs)
  const devices = new Map<Name, DemoDevice>()
  for (const person of people) devices.set(person.localpart, await DemoDevice.begin(server, person))
  const life = new Life(devices)
  for (const room of rooms) await life.make(room)
  const lines = history.map(line => ({ line, ts: timeOf(line, nowTs) })).sort((a, b) => a.ts - b.ts)
  for (const [done, { line, ts }] of lines.entries()) {
    server.setClock(ts)
    await life.write(line)
    say(done + 1, lines.length)
  }
  server.setClock(null)
  await life.read()
  for (const device of devices.values()) await device.backUp()
  return devices
}

function timeOf({ at }: Line, nowTs: number): number {
  if (typeof at === 'number') return nowTs - at * 60_000
  const [days, time] = at
  const [hours, minutes] = time.split(':').map(Number)
  return new Date(nowTs - days * dayMs).setHours(hours!, minutes!, 0, 0)
}

class Life {
  readonly #devices: ReadonlyMap<Name, DemoDevice>
  readonly #roomIds = new Map<RoomKey, string>()
  /** Of lines that others refer to. */
  readonly #eventIds = new Map<string, string>()
  readonly #pinned = new Map<RoomKey, string[]>()
  /** Up to where each person has read each room; a person who stopped reading does not go on. */
  readonly #read = new Map<string, string>()
  readonly #stopped = new Set<string>()

  constructor(devices: ReadonlyMap<Name, DemoDevice>) {
    this.#devices = devices
  }

  async make({ key, name, topic, by, members, kind, inSpace, favouriteOf = [] }: Room): Promise<void> {
    const maker = this.#device(by)
    const userIds = members.map(userIdOf)
    const roomId = await maker.calls.createRoom({
      ...(name === undefined ? {} : { name }),
      ...(topic === undefined ? {} : { topic }),
      invite: userIds,
      isDirect: kind === 'direct',
      isSpace: kind === 'space',
      encrypted: kind !== 'space',
      joinRule: 'invite',
      historyVisibility: 'shared',
    })
    this.#roomIds.set(key, roomId)
    if (inSpace) await this.#list(inSpace, roomId, maker)
    for (const member of members) await this.#device(member).join(roomId)
    const all = [userIdOf(by), ...userIds]
    for (const member of [by, ...members]) await this.#device(member).seesMembers(roomId, all)
    for (const fond of favouriteOf)
      await this.#device(fond).calls.setTag({ roomId, tag: 'm.favourite', on: true })
  }

  async write(line: Line): Promise<void> {
    const { room, by, unreadBy = [], reactions = [] } = line
    const roomId = this.#roomIds.get(room)!
    const author = this.#device(by)
    for (const name of unreadBy) this.#stopped.add(place(room, name))
    const eventId = await this.#say(line, roomId, author)
    if (line.id !== undefined) this.#eventIds.set(line.id, eventId)
    for (const [who, emoji] of reactions) {
      await this.#device(who).add(roomId, 'm.reaction', {
        'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key: emoji },
      })
    }
    if (line.edited !== undefined) {
      await author.add(roomId, 'm.room.message', {
        ...textContent(`* ${line.edited}`),
        'm.new_content': textContent(line.edited),
        'm.relates_to': { rel_type: 'm.replace', event_id: eventId },
      })
    }
    if (line.withdrawn) await author.calls.redact({ roomId, eventId })
    if (line.pinned) await this.#pin(room, roomId, eventId)
    if (line.thread === undefined) this.#noteRead(room, eventId)
  }

  /** Receipts, where each person has stopped. */
  async read(): Promise<void> {
    for (const { key, by, members } of rooms) {
      for (const name of [by, ...members]) {
        const eventId = this.#read.get(place(key, name))
        const roomId = this.#roomIds.get(key)!
        if (eventId !== undefined) await this.#device(name).calls.markRead({ roomId, eventId })
      }
    }
  }

  /** Who made the space says what stands in it; who made the room, where it belongs. */
  async #list(space: RoomKey, roomId: string, maker: DemoDevice): Promise<void> {
    const { by } = rooms.find(({ key }) => key === space)!
    await maker.calls.setState({
      roomId,
      type: 'm.space.parent',
      stateKey: this.#roomIds.get(space)!,
      content: { via: [serverName], canonical: true },
    })
    await this.#device(by).calls.setState({
      roomId: this.#roomIds.get(space)!,
      type: 'm.space.child',
      stateKey: roomId,
      content: { via: [serverName], order: String(this.#roomIds.size).padStart(3, '0') },
    })
  }

  async #say(line: Line, roomId: string, author: DemoDevice): Promise<string> {
    const replyTo = line.replyTo && this.#eventIds.get(line.replyTo)
    if (line.file) {
      const drawn = await drawFile(line.file)
      const txnId = await author.calls.sendFile({ roomId, ...drawn, caption: line.text })
      return author.sent(roomId, txnId)
    }
    const root = line.thread && this.#eventIds.get(line.thread)
    const content = {
      ...textContent(line.text),
      'm.mentions': line.mentions ? { user_ids: line.mentions.map(userIdOf) } : {},
      ...(root
        ? {
            'm.relates_to': {
              rel_type: 'm.thread',
              event_id: root,
              is_falling_back: true,
              'm.in_reply_to': { event_id: root },
            },
          }
        : {}),
      ...(replyTo ? { 'm.relates_to': { 'm.in_reply_to': { event_id: replyTo } } } : {}),
    }
    return author.write(roomId, content, root)
  }

  async #pin(room: RoomKey, roomId: string, eventId: string): Promise<void> {
    const pinned = [...(this.#pinned.get(room) ?? []), eventId]
    this.#pinned.set(room, pinned)
    const { by } = rooms.find(({ key }) => key === room)!
    await this.#device(by).calls.setState({
      roomId,
      type: 'm.room.pinned_events',
      stateKey: '',
      content: { pinned },
    })
  }

  #noteRead(room: RoomKey, eventId: string): void {
    const { by, members } = rooms.find(({ key }) => key === room)!
    for (const name of [by, ...members]) {
      const at = place(room, name)
      if (!this.#stopped.has(at)) this.#read.set(at, eventId)
    }
  }

  #device(name: Name): DemoDevice {
    return this.#devices.get(name)!
  }
}

function place(room: RoomKey, name: Name): string {
  return `${room} ${name}`
}

/** Of Markdown no more than what the history uses: strong and emphasised. */
function textContent(text: string): JsonObject {
  const html = escaped(text)
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/(?<!\*)\*([^*\s][^*]*)\*(?!\*)/g, '<em>$1</em>')
  const isPlain = html === escaped(text)
  return {
    msgtype: 'm.text',
    body: text,
    ...(isPlain ? {} : { format: 'org.matrix.custom.html', formatted_body: html }),
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

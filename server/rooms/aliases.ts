/**
 * Room aliases: names that point to rooms. Those of this server are kept here; others are asked of their server.
 *
 * An alias row and its entry under the room are written together; whoever writes one holds the alias as owner, so two
 * requests never claim the same name. Spec: client-server-api#room-aliases
 */
import {
  localpartOf,
  parseRoomAlias,
  type RoomAlias,
  type RoomId,
  type ServerName,
  serverOf,
} from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { aliasesOfRoom, roomAliases } from '../store/catalogue.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Actor } from './people.ts'
import { noRemoteRooms, RemoteError, type RemoteRooms } from './remote-rooms.ts'
import { isWorldReadable, notInRoom } from './room-access.ts'
import { RoomError, type Rooms, type RoomView } from './rooms.ts'

export interface ResolvedAlias {
  readonly roomId: RoomId
  readonly servers: readonly ServerName[]
}

export interface Aliases {
  /** An alias of another server is asked of that server. @throws RemoteError where it cannot be */
  resolve(alias: RoomAlias): Promise<ResolvedAlias | null>
  create(actor: Actor, alias: RoomAlias, roomId: RoomId): Promise<void>
  remove(actor: Actor, alias: RoomAlias): Promise<void>
  /** The local aliases of a room, for those who may see the room. */
  list(actor: Actor, roomId: RoomId): Promise<RoomAlias[]>
  /** Refuses new aliases that are malformed or point elsewhere. Spec: client-server-api#mroomcanonical_alias */
  checkCanonical(view: RoomView, content: JsonObject): Promise<void>
  /** In the transaction of someone who holds `aliasOwner(alias)`. */
  claim(tx: Transaction, alias: RoomAlias, roomId: RoomId, actor: Actor): Promise<void>
  /** In the transaction of someone who holds the owners of these aliases: to another room, whoever made them. */
  move(tx: Transaction, aliases: readonly RoomAlias[], from: RoomId, to: RoomId): Promise<void>
  all(roomId: RoomId): Promise<RoomAlias[]>
}

export interface AliasesDeps {
  readonly store: Store
  readonly rooms: Rooms
  readonly remote?: Pick<RemoteRooms, 'resolveAlias'>
  readonly clock: () => number
}

/** The owner that a writer of this alias holds. */
export function aliasOwner(alias: RoomAlias): string {
  return `alias ${alias}`
}

/** More names than this for one room are noise, and each is copied at an upgrade. */
const maxAliasesOfRoom = 100

export function openAliases({ store, rooms, remote = noRemoteRooms, clock }: AliasesDeps): Aliases {
  return {
    resolve,

    async create(actor, alias, roomId) {
      if (serverOf(alias) !== rooms.serverName) {
        throw new RoomError(
          'M_INVALID_PARAM',
          `roomAlias: this server only makes aliases on ${rooms.serverName}.`,
        )
      }
      if (localpartOf(alias) === '') {
        throw new RoomError('M_INVALID_PARAM', 'roomAlias: there must be a name between # and :.')
      }
      const view = await rooms.view(roomId)
      if (view?.membership(actor.userId) !== 'join') throw notInRoom()
      if ((await all(roomId)).length >= maxAliasesOfRoom) {
        throw new RoomError('M_FORBIDDEN', `room_id: a room has at most ${maxAliasesOfRoom} aliases.`)
      }
      await store.transact(aliasOwner(alias), tx => claim(tx, alias, roomId, actor))
    },

    async remove(actor, alias) {
      const roomId = await store.transact(aliasOwner(alias), async tx => {
        const row = await tx.get(roomAliases.key(alias))
        if (!row) throw notFound(alias)
        const view = await rooms.view(row.roomId as RoomId)
        if (!mayRemove(actor, row.creator, view)) {
          throw new RoomError(
            'M_FORBIDDEN',
            'roomAlias: only who made the alias, who may change the room’s main alias or an administrator may remove it.',
          )
        }
        tx.delete(roomAliases.key(alias))
        tx.delete(aliasesOfRoom.key(row.roomId, alias))
        return row.roomId as RoomId
      })
      await dropFromCanonical(actor, alias, roomId)
    },

    async list(actor, roomId) {
      const view = await rooms.view(roomId)
      const maySee =
        view &&
        (view.membership(actor.userId) === 'join' || isWorldReadable(view) || actor.kind === 'administrator')
      if (!maySee) throw notInRoom()
      return all(roomId)
    },

    async checkCanonical(view, content) {
      const known = new Set(aliasesIn(view.state('m.room.canonical_alias')?.content ?? {}, () => {}))
      const named = aliasesIn(content, refuseAlias)
      for (const text of named) {
        if (known.has(text)) continue
        const alias = parseRoomAlias(text) ?? refuseAlias(text)
        const resolved = await resolve(alias).catch(error => {
          // A name that nobody answers for points nowhere.
          if (error instanceof RemoteError) return null
          throw error
        })
        if (resolved?.roomId !== view.roomId) {
          throw new RoomError('M_BAD_ALIAS', `content: the alias ${alias} does not point to this room.`)
        }
      }
    },

    claim,

    async move(tx, aliases, from, to) {
      const rows = await tx.getMany(aliases.map(alias => roomAliases.key(alias)))
      aliases.forEach((alias, i) => {
        const row = rows[i]
        // Removed or moved by someone else since the list was read: theirs to say.
        if (row?.roomId !== from) return
        tx.put(roomAliases.key(alias), { ...row, roomId: to })
        tx.delete(aliasesOfRoom.key(from, alias))
        tx.put(aliasesOfRoom.key(to, alias), 1)
      })
    },

    all,
  }

  async function resolve(alias: RoomAlias): Promise<ResolvedAlias | null> {
    const server = serverOf(alias)
    if (server !== rooms.serverName) return resolveElsewhere(server, alias)
    const row = await store.read(view => view.get(roomAliases.key(alias)))
    return row ? { roomId: row.roomId as RoomId, servers: [rooms.serverName] } : null
  }

  /** The server that was asked, those that it names, and we ourselves where we are in the room. */
  async function resolveElsewhere(server: ServerName, alias: RoomAlias): Promise<ResolvedAlias | null> {
    const found = await remote.resolveAlias(server, alias)
    if (!found) return null
    const isHere = (await rooms.view(found.roomId))?.joinedServers.has(rooms.serverName) ?? false
    const others = [server, ...found.servers].filter(each => each !== rooms.serverName)
    return {
      roomId: found.roomId,
      servers: [...new Set([...(isHere ? [rooms.serverName] : []), ...others])],
    }
  }

  async function all(roomId: RoomId): Promise<RoomAlias[]> {
    const rows = await store.read(view => view.range(aliasesOfRoom.under(roomId)))
    return rows.map(({ parts }) => parts[1] as RoomAlias)
  }

  async function claim(tx: Transaction, alias: RoomAlias, roomId: RoomId, actor: Actor): Promise<void> {
    if (await tx.get(roomAliases.key(alias))) {
      throw new RoomError('M_ROOM_IN_USE', `The room alias ${alias} already exists.`)
    }
    tx.put(roomAliases.key(alias), { roomId, creator: actor.userId, createdTs: clock() })
    tx.put(aliasesOfRoom.key(roomId, alias), 1)
  }

  /** Spec: client-server-api#delete_matrixclientv3directoryroomroomalias: best effort, the alias is gone either way. */
  async function dropFromCanonical({ userId }: Actor, alias: RoomAlias, roomId: RoomId): Promise<void> {
    const view = await rooms.view(roomId)
    const content = view?.state('m.room.canonical_alias')?.content
    if (!content || !view.maySend(userId, 'm.room.canonical_alias', true)) return
    const { alias: main, alt_aliases: alternatives, ...rest } = content
    const kept = Array.isArray(alternatives) ? alternatives.filter(other => other !== alias) : undefined
    if (main !== alias && kept?.length === (alternatives as readonly unknown[] | undefined)?.length) return
    await rooms.send({
      roomId,
      sender: userId,
      type: 'm.room.canonical_alias',
      stateKey: '',
      content: {
        ...rest,
        ...(main === undefined || main === alias ? {} : { alias: main }),
        ...(kept && kept.length > 0 ? { alt_aliases: kept } : {}),
      },
    })
  }
}

function mayRemove(actor: Actor, creator: string, view: RoomView | null): boolean {
  return (
    creator === actor.userId ||
    actor.kind === 'administrator' ||
    (view?.maySend(actor.userId, 'm.room.canonical_alias', true) ?? false)
  )
}

/** All aliases that the content of m.room.canonical_alias names; `refuse` hears of what is no text. */
function aliasesIn(content: JsonObject, refuse: (value: unknown) => void): string[] {
  const { alias, alt_aliases: alternatives } = content
  const found: string[] = []
  // An absent, null or empty alias takes the main alias away.
  if (typeof alias === 'string' && alias !== '') found.push(alias)
  else if (alias !== undefined && alias !== null && alias !== '') refuse(alias)
  if (Array.isArray(alternatives)) {
    for (const other of alternatives) {
      if (typeof other === 'string') found.push(other)
      else refuse(other)
    }
  } else if (alternatives !== undefined && alternatives !== null) refuse(alternatives)
  return found
}

function refuseAlias(value: unknown): never {
  throw new RoomError(
    'M_INVALID_PARAM',
    `content: ${JSON.stringify(value)} is not a room alias (#name:server).`,
  )
}

function notFound(alias: RoomAlias): RoomError {
  return new RoomError('M_NOT_FOUND', `There is no room alias ${alias}.`)
}

/**
 * The user directory: whom may this person find?
 *
 * Those with whom they share a room, and those in rooms that anybody may join or read. Where accounts are made by invitation,
 * the server is one organisation, and its members find each other; where anybody may register, they are strangers.
 * External people are in nobody's results and find only those with whom they share a room.
 *
 * Spec: POST /user_directory/search
 */
import { localpartOf, type RoomId, serverOf, type UserId } from '../protocol/ids.ts'
import { type AccountKind, accountTable, profileTable } from '../store/catalogue.ts'
import type { Core } from './core.ts'
import type { People } from './people.ts'

/** An organisation on one node. */
const maxColleagues = 50_000

export interface Found {
  readonly userId: UserId
  readonly displayName?: string
  readonly avatarUrl?: string
}

export interface Directory {
  search(
    requester: { readonly userId: UserId; readonly kind: AccountKind },
    term: string,
    limit: number,
  ): Promise<{ readonly results: Found[]; readonly limited: boolean }>
}

export function openDirectory(core: Core, people: People): Directory {
  const { store, rooms, serverName } = core
  /** May anybody join or read this room? Known until the room changes. */
  const open = new Map<RoomId, boolean>()
  store.onReset(() => open.clear())
  store.onDurable(({ topics }) => {
    for (const topic of topics) if (topic.startsWith('room:')) open.delete(topic.slice(5) as RoomId)
  })

  const isOpen = async (roomId: RoomId): Promise<boolean> => {
    const known = open.get(roomId)
    if (known !== undefined) return known
    const view = await rooms.view(roomId)
    const rule = view?.state('m.room.join_rules', '')?.content['join_rule']
    const visibility = view?.state('m.room.history_visibility', '')?.content['history_visibility']
    const now = rule === 'public' || visibility === 'world_readable'
    open.set(roomId, now)
    return now
  }

  /** How each candidate is called in a room where they can be seen. */
  const candidates = async (requester: { userId: UserId; kind: AccountKind }) => {
    const found = new Map<UserId, Found>()
    const shared = new Set<RoomId>()
    for (const [roomId, { membership }] of await rooms.memberships(requester.userId))
      if (membership === 'join') shared.add(roomId)
    const visible = requester.kind === 'external' ? [...shared] : await rooms.roomIds()
    for (const roomId of visible) {
      if (!shared.has(roomId) && !(await isOpen(roomId))) continue
      for (const member of (await rooms.view(roomId))?.members('join') ?? []) {
        const userId = member.stateKey
        if (userId === requester.userId || people.isExternal(userId) || found.has(userId)) continue
        const { displayname, avatar_url } = member.content
        found.set(userId, {
          userId,
          ...(typeof displayname === 'string' ? { displayName: displayname } : {}),
          ...(typeof avatar_url === 'string' ? { avatarUrl: avatar_url } : {}),
        })
      }
    }
    const isMember = requester.kind === 'member' || requester.kind === 'administrator'
    if (isMember && core.registration === 'invite') {
      for (const { userId, kind } of await people.list({ limit: maxColleagues })) {
        if (userId !== requester.userId && kind !== 'service' && !found.has(userId))
          found.set(userId, { userId })
      }
    }
    return found
  }

  /** Our own people are called what their profile says now; those who left the server are gone. */
  const refresh = async (found: Map<UserId, Found>) => {
    const ours = [...found.keys()].filter(userId => serverOf(userId) === serverName)
    const [accounts, profiles] = await store.read(view =>
      Promise.all([
        view.getMany(ours.map(userId => accountTable.key(userId))),
        view.getMany(ours.map(userId => profileTable.key(userId))),
      ]),
    )
    for (const [i, userId] of ours.entries()) {
      const account = accounts[i]
      if (!account || account.deactivatedTs !== undefined || account.kind === 'external') {
        found.delete(userId)
        continue
      }
      const { displayname, avatar_url } = profiles[i]?.fields ?? {}
      found.set(userId, {
        userId,
        ...(typeof displayname === 'string' ? { displayName: displayname } : {}),
        ...(typeof avatar_url === 'string' && avatar_url !== '' ? { avatarUrl: avatar_url } : {}),
      })
    }
  }

  return {
    search: async (requester, term, limit) => {
      const found = await candidates(requester)
      await refresh(found)
      const words = fold(term).split(/\s+/).filter(Boolean)
      const ranked = [...found.values()]
        .map(person => ({ person, rank: rankOf(person, words) }))
        .filter(({ rank }) => rank !== null)
        .sort(
          (a, b) =>
            a.rank! - b.rank! ||
            Number(b.person.displayName !== undefined) - Number(a.person.displayName !== undefined) ||
            (a.person.userId < b.person.userId ? -1 : 1),
        )
      return { results: ranked.slice(0, limit).map(({ person }) => person), limited: ranked.length > limit }
    },
  }
}

/** Smaller is better: the whole name, the beginning of it, of one of its words, anywhere; null: not at all. */
function rankOf(person: Found, words: readonly string[]): number | null {
  if (words.length === 0) return null
  const id = fold(person.userId)
  const localpart = fold(localpartOf(person.userId))
  const name = fold(person.displayName ?? '')
  let worst = 0
  for (const word of words) {
    let rank: number
    if (localpart === word || name === word || id === word) rank = 0
    else if (localpart.startsWith(word) || name.startsWith(word)) rank = 1
    else if (name.split(/[\s\p{P}]+/u).some(part => part.startsWith(word))) rank = 2
    else if (id.includes(word) || name.includes(word)) rank = 3
    else return null
    worst = Math.max(worst, rank)
  }
  return worst
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

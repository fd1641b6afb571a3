/** What peers may ask beside rooms' events: people, aliases, directories, keys, media. For `serving.ts`. */
import type { Accounts } from './accounts/accounts.ts'
import { hierarchyRoutes } from './federation-api/hierarchy.ts'
import { mediaRoutes } from './federation-api/media.ts'
import { openIdRoutes } from './federation-api/open-id.ts'
import { publicRoomsRoutes } from './federation-api/public-rooms.ts'
import { queryRoutes } from './federation-api/queries.ts'
import { userKeysRoutes } from './federation-api/user-keys.ts'
import type { Route, Step } from './http/route.ts'
import { localDevices } from './keys/local-devices.ts'
import { openKeysForPeers } from './keys/shown-to-peers.ts'
import type { Media } from './media/media.ts'
import { openPeerAccess } from './media/peer-access.ts'
import type { ServerName } from './protocol/ids.ts'
import type { Aliases } from './rooms/aliases.ts'
import type { InboundRooms } from './rooms/inbound-rooms.ts'
import type { PublicRooms } from './rooms/public-rooms.ts'
import type { Rooms } from './rooms/rooms.ts'
import type { Store } from './store/store.ts'

export interface PeerAnswersDeps {
  readonly store: Store
  readonly serverName: ServerName
  readonly accounts: Pick<Accounts, 'people' | 'profiles' | 'openId'>
  readonly rooms: Rooms & Pick<InboundRooms, 'askedBy'>
  readonly aliases: Aliases
  readonly publicRooms: PublicRooms
  readonly media: Media
  readonly clock: () => number
}

export function peerAnswers(deps: PeerAnswersDeps, authenticate: Step): Route[] {
  const { store, serverName, accounts, rooms, aliases, publicRooms, media, clock } = deps
  const { people, profiles, openId } = accounts
  const keys = openKeysForPeers({ store, serverName, devices: localDevices })
  return [
    ...queryRoutes({ authenticate, serverName, people, profiles, aliases, rooms }),
    ...publicRoomsRoutes({ authenticate, publicRooms, rooms }),
    ...hierarchyRoutes({ authenticate, rooms }),
    ...userKeysRoutes({ authenticate, keys }),
    ...mediaRoutes({ authenticate, media, access: openPeerAccess(rooms, clock) }),
    ...openIdRoutes({ openId }),
  ]
}

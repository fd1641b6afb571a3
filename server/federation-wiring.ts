/**
 * Federation from its parts, for `app.ts`: in two steps, because rooms need some of it to open (whose signature is it,
 * what goes to whom, how to ask others) and the rest needs rooms.
 */
import { setTimeout as pauseFor } from 'node:timers/promises'
import { CardExchange } from './federation/card-exchange.ts'
import { FederationClient } from './federation/client.ts'
import { KeyRing } from './federation/key-ring.ts'
import { tellMissedNews } from './federation/missed-news.ts'
import { remoteKeysClient } from './federation/remote-keys-client.ts'
import { remoteMediaClient } from './federation/remote-media-client.ts'
import { type RemoteProfile, remoteProfileClient } from './federation/remote-profile-client.ts'
import { remoteRoomsClient } from './federation/remote-rooms-client.ts'
import { sendTransaction } from './federation/send-transaction.ts'
import { openSender } from './federation/sender.ts'
import { Transport } from './federation/transport.ts'
import { authenticatePeer } from './federation-api/authenticate.ts'
import { cardRoutes } from './federation-api/card.ts'
import { eventsRoutes } from './federation-api/events.ts'
import { keyServerRoutes } from './federation-api/key-server.ts'
import { membershipRoutes } from './federation-api/membership.ts'
import { takeTurns } from './federation-api/peer-turns.ts'
import { type TakeEdu, transactionRoutes } from './federation-api/transactions.ts'
import { versionRoutes } from './federation-api/version.ts'
import type { Log } from './http/log.ts'
import type { Route, Step } from './http/route.ts'
import type { RemoteKeys } from './keys/ports.ts'
import type { RemoteMedia } from './media/ports.ts'
import type { OwnSite } from './own-site.ts'
import type { OutboundQueue, OutboundStatus } from './peers/outbound.ts'
import { openOutboundQueue } from './peers/outbound-queue.ts'
import type { PeerBook } from './peers/peer-book.ts'
import type { ServerName, UserId } from './protocol/ids.ts'
import { release } from './release.ts'
import type { InboundRooms } from './rooms/inbound-rooms.ts'
import { verify } from './rooms/primitives.ts'
import type { RemoteRooms } from './rooms/remote-rooms.ts'
import type { Rooms } from './rooms/rooms.ts'
import type { CheckSignatures, RoomsInternal } from './rooms/rooms-internal.ts'
import type { ServerKeys } from './server-keys.ts'
import type { Store } from './store/store.ts'

export interface FederationDeps {
  readonly store: Store
  readonly serverName: ServerName
  readonly peers: PeerBook
  readonly keys: ServerKeys
  readonly site: OwnSite
  readonly clock: () => number
  readonly log: Log
}

/** What opens before rooms. */
export interface Federation {
  readonly outbound: OutboundQueue
  readonly remoteRooms: RemoteRooms
  readonly remoteKeys: RemoteKeys
  readonly remoteProfile: RemoteProfile
  readonly remoteMedia: RemoteMedia
  readonly client: FederationClient
  readonly checkSignatures: CheckSignatures
  status(server: ServerName): Promise<OutboundStatus>
  /** When the certificate ends that it last showed; undefined: not seen, or good by its pinned key. */
  peerCertificateEndsTs(server: ServerName): number | undefined
  /** Begins to send and to answer. */
  start(parts: FederationParts): readonly Route[]
  close(): Promise<void>
}

export interface FederationParts {
  readonly rooms: Rooms & RoomsInternal & InboundRooms
  readonly takeEdu: TakeEdu
  readonly tellDevices: (peer: ServerName, userIds: Iterable<UserId>) => Promise<void>
  /** The routes that are no business of this file's, given the step that tells who asks. */
  readonly answers: (authenticate: Step) => readonly Route[]
}

export async function openFederation(deps: FederationDeps): Promise<Federation> {
  const { store, serverName, peers, keys, site, clock, log } = deps
  const report = (message: string, fields?: Readonly<Record<string, string>>) => log.warn(message, fields)
  const transport = new Transport()
  const client = new FederationClient({
    serverName,
    peers,
    signer: keys,
    transport,
    onOtherCertificate: server => void cards.renew(server),
  })
  const cards: CardExchange = new CardExchange({ client, peers, verify, clock, pause, report })
  const keyRing = new KeyRing({
    serverName,
    peers,
    ownKeys: () => keys.published,
    learn: server => cards.learn(server),
    clock,
  })
  const outbound = await openOutboundQueue({ store, peers, clock })
  peers.onChange(server => {
    transport.forget(server)
    void cards.bringTo(server)
  })
  // The site outlives this: after a repair the areas are opened anew.
  const stopListening = site.onCard(card => void cards.bring(card))
  let sender: ReturnType<typeof openSender> | null = null

  return {
    outbound,
    remoteRooms: remoteRoomsClient(client),
    remoteKeys: remoteKeysClient(client),
    remoteProfile: remoteProfileClient(client, clock),
    remoteMedia: remoteMediaClient(client),
    client,
    checkSignatures: (pdu, rules) => keyRing.checkSignatures(pdu, rules),
    peerCertificateEndsTs: server => transport.certificateEndsTs.get(server),
    status: async server => (await sender?.status(server)) ?? outbound.waiting(server),
    start({ rooms, takeEdu, answers, tellDevices }) {
      void cards.bring(site.card)
      sender = openSender({
        queue: outbound,
        peers,
        signed: eventId => rooms.signed(eventId),
        // Of a room that stands still goes out where it goes on, and nothing else.
        maySend: async (roomId, eventId) => {
          const view = await rooms.view(roomId)
          return !view?.frozen || view.state('m.room.tombstone')?.eventId === eventId
        },
        send: (server, transaction) => sendTransaction(client, serverName, server, transaction),
        clock,
        random: Math.random,
        pause,
        report,
      })
      tellMissedNews({
        serverName,
        peers,
        rooms,
        queue: (peer, roomId, eventId) =>
          store.transact(`missed by ${peer}`, tx => {
            tx.sequence((_next, rows) => outbound.put(rows, peer, { kind: 'pdu', roomId, eventId }))
          }),
        tellDevices,
        report,
      })
      const authenticate = authenticatePeer({
        serverName,
        peers,
        requestKey: (server, keyId) => keyRing.requestKey(server, keyId),
        verify,
        heard: server => sender?.heard(server),
      })
      const takeTurn = takeTurns()
      return [
        ...keyServerRoutes({ serverName, keys: () => keys.published, signer: keys, clock }),
        ...versionRoutes({ version: release.version }),
        ...cardRoutes({ authenticate, ourCard: () => site.card, peers }),
        ...transactionRoutes({ authenticate, rooms, takeEdu }),
        ...membershipRoutes({ authenticate, takeTurn, serverName, rooms }),
        ...eventsRoutes({ authenticate, takeTurn, serverName, rooms, clock }),
        ...answers(authenticate),
      ]
    },
    async close() {
      stopListening()
      cards.close()
      await sender?.close()
      transport.close()
    },
  }
}

/** Ends without a word when the signal says so. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await pauseFor(ms, undefined, { signal, ref: false }).catch(() => {})
}

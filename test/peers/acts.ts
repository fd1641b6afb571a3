/** The acts on peers over a store, with real pins and a site whose key rotation only counts. */
import type { Accounts } from '../../server/accounts/accounts.ts'
import { openPeerActs, type PeerActs } from '../../server/admin-api/peer-acts.ts'
import type { OutboundStatus } from '../../server/peers/outbound.ts'
import { openPeers, type PeerBook } from '../../server/peers/pins.ts'
import type { Store } from '../../server/store/store.ts'
import { verify } from '../support/primitives.ts'
import { mustRead, siteOf } from './site.ts'

export interface TestPeers {
  readonly book: PeerBook
  readonly acts: PeerActs
  readonly waiting: Map<string, OutboundStatus>
  rotations: number
}

export async function openTestPeers(
  store: Store,
  accounts: Accounts,
  clock: () => number,
): Promise<TestPeers> {
  const book = await openPeers({
    store,
    serverName: accounts.serverName,
    clock,
    verify,
    audit: (tx, act) => accounts.audit.record(tx, act),
    alarm: (action, server) => void accounts.tellAdministrators(action, server),
    report: () => {},
  })
  const waiting = new Map<string, OutboundStatus>()
  const it: TestPeers = {
    book,
    waiting,
    rotations: 0,
    acts: openPeerActs({
      peers: book,
      site: {
        card: mustRead(siteOf(accounts.serverName).card(1_700_000_000_000)),
        rotateSigningKey: async () => `ed25519:a_${++it.rotations}`,
      },
      outbound: async name => waiting.get(name) ?? { length: 0 },
      audit: act => store.transact('site', tx => accounts.audit.record(tx, act)),
    }),
  }
  return it
}

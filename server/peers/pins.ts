/**
 * The book of pins: who our peers are. In memory and durable, changed while the server runs, by people and by newer
 * cards of the same root.
 *
 * Changes go one after another. What takes something away (suspend, remove) counts from the moment it is asked for;
 * what grants something counts once it is durable. Row, serial and audit entry share a batch: after a crash they are
 * there all or none, so no pin exists that the audit does not know.
 *
 * An older, forged, cut or foreign card changes nothing.
 */
import type { AuditAct } from '../protocol/audit-chain.ts'
import { encodeBase64 } from '../protocol/base64.ts'
import type { Card } from '../protocol/card.ts'
import { parseServerName, type ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { type CardSerialRow, cardSerialTable, type PeerRow, peerTable } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { suspendAfterRepair } from './after-repair.ts'
import { digestOf, judgeCard, openCard, rootOf } from './offered-card.ts'
import type { Peer } from './peer.ts'
import type { PeerBook, PeersDeps } from './peer-book.ts'
import {
  alreadyPinned,
  changedMeanwhile,
  notPinned,
  ofOurselves,
  PeerError,
  pinnedByKey,
} from './peer-error.ts'
import {
  allows,
  auditable,
  damagedPin,
  firstRow,
  malformed,
  mustBeReachable,
  type Pin,
  pinOf,
  readSigningKey,
  readTerms,
  versionOf,
  withOfferedKeys,
} from './pin.ts'

export type { PeerBook, PeersDeps } from './peer-book.ts'

/** The new row (null: none any more) and what the audit says of it. */
interface Change {
  readonly row: PeerRow | null
  readonly act: AuditAct
  /** The card in the row, where it is a new one. */
  readonly card?: Card
  /** Thrown once the row is durable: an alarm is kept, what raised it is refused. */
  readonly refusal?: PeerError
}

const owner = 'peers'

export async function openPeers(deps: PeersDeps): Promise<PeerBook> {
  const { store, serverName: ourselves, verify, clock, report } = deps
  let pins = new Map<ServerName, Pin>()
  const listeners: ((serverName: ServerName) => void)[] = []
  /** Being suspended or removed, not yet durably; how many such changes are under way. */
  const withdrawn = new Map<ServerName, number>()
  /** Suspended or removed by somebody whose act could not be saved. */
  const unsaved = new Set<ServerName>()
  let last: Promise<unknown> = Promise.resolve()

  const load = async () => {
    const rows = await store.read(view => view.range(peerTable.under()))
    pins = new Map(
      rows.map(({ parts: [name], value }) => [name as ServerName, readRow(name as ServerName, value)]),
    )
  }
  /** After a repair a row may not be what it was: that peer is shut out, not the whole server. */
  const readRow = (name: ServerName, row: PeerRow): Pin => {
    try {
      return pinOf(name, row, verify)
    } catch {
      report('a pin is damaged: its server is shut out until it is pinned again', { server: name })
      return damagedPin(name, row)
    }
  }
  const suspended = await suspendAfterRepair(store, clock)
  if (suspended > 0) report('the store was repaired: peers are suspended until an administrator resumes them')
  await load()
  store.onReset(() => {
    last = last.then(load, load).catch(() => report('the pins could not be read again'))
  })

  const get = (name: ServerName): Peer | undefined => {
    const peer = pins.get(name)?.peer
    const isStopped = withdrawn.has(name) || unsaved.has(name)
    return peer && isStopped && !peer.suspended ? { ...peer, suspended: true } : peer
  }

  /** One change after another, so that memory follows the rows in their order. */
  function alter(
    name: ServerName,
    decide: (tx: Transaction, row: PeerRow | undefined) => Promise<Change | null>,
  ) {
    const done = last.then(async () => {
      const change = await store.transact(owner, async tx => {
        const decided = await decide(tx, await tx.get(peerTable.key(name)))
        if (!decided) return null
        if (decided.row) tx.put(peerTable.key(name), decided.row)
        else tx.delete(peerTable.key(name))
        if (decided.card) {
          const newest: CardSerialRow = {
            serverName: name,
            serial: decided.card.serial,
            digest: digestOf(decided.card),
          }
          tx.put(cardSerialTable.key(rootOf(decided.card)), newest)
        }
        await deps.audit(tx, decided.act)
        return decided
      })
      if (change) {
        if (!change.row || change.row.suspended || change.act.action === 'peer.resume') unsaved.delete(name)
        if (change.row) pins.set(name, readRow(name, change.row))
        else pins.delete(name)
        tell(name)
      }
      if (change?.refusal) throw change.refusal
    })
    last = done.catch(() => {})
    return done
  }

  const alterPinned = async (
    by: string,
    name: ServerName,
    action: string,
    next: (row: PeerRow) => PeerRow | null,
    { detail, seen }: { detail?: JsonObject; seen?: string | undefined } = {},
  ) => {
    await alter(name, async (_tx, row) => {
      if (!row) throw notPinned(name)
      if (seen !== undefined && versionOf(row) !== seen) throw changedMeanwhile(name)
      const after = next(row)
      const act = { actor: by, action: `peer.${action}`, target: name, ...(detail ? { detail } : {}) }
      return { row: after && { ...after, changedBy: by, changedTs: clock() }, act }
    })
  }

  /** Counts at once, whatever the disk says: what could not be saved holds until somebody resumes, or a restart. */
  const withdraw = async (name: ServerName, change: () => Promise<void>) => {
    if (!pins.has(name)) throw notPinned(name)
    withdrawn.set(name, (withdrawn.get(name) ?? 0) + 1)
    try {
      await change()
    } catch (error) {
      if (!(error instanceof PeerError)) {
        unsaved.add(name)
        tell(name)
      }
      throw error
    } finally {
      const left = withdrawn.get(name)! - 1
      if (left === 0) withdrawn.delete(name)
      else withdrawn.set(name, left)
    }
  }

  const tell = (name: ServerName) => {
    for (const listener of listeners) {
      try {
        listener(name)
      } catch {
        report('a change of a pin was not taken up everywhere', { server: name })
      }
    }
  }

  /** Row and verdict for a card, against what is durable or on its way. */
  const takeCard = (by: string, card: Card, terms: Partial<PeerRow>, mustBePinned: boolean) =>
    alter(card.serverName, async (tx, row) => {
      if (mustBePinned && !row) throw notPinned(card.serverName)
      if (row?.kind === 'homeserver') throw pinnedByKey(card.serverName)
      const held = row ? readRow(card.serverName, row).card : null
      const newest = await tx.get(cardSerialTable.key(rootOf(card)))
      let verdict: 'newer' | 'same'
      try {
        verdict = judgeCard(card, held, newest)
      } catch (error) {
        if (!(error instanceof PeerError && error.reason === 'CARD_CONFLICT' && row)) throw error
        // Said once a serial: whoever has the root key could otherwise fill the audit.
        if (row.conflict?.serial === card.serial) throw error
        deps.alarm('peer.card-conflict', card.serverName)
        report('two cards with one serial: the root key may be in other hands', { server: card.serverName })
        return {
          row: { ...row, conflict: { serial: card.serial, seenTs: clock() } },
          act: {
            actor: 'system',
            action: 'peer.card-conflict',
            target: card.serverName,
            detail: { serial: card.serial },
          },
          refusal: error,
        }
      }
      if (row && verdict === 'same' && held && Object.keys(terms).length === 0) return null
      const now = clock()
      const { conflict: _settled, ...before } = row ?? firstRow('site', by, now)
      const { residency: _said, ...given } = terms
      const after: PeerRow = {
        ...before,
        ...(row?.conflict && verdict === 'same' ? { conflict: row.conflict } : {}),
        ...given,
        card: card.json,
        changedBy: by,
        changedTs: now,
      }
      if (!mustBePinned) mustBeReachable(pinOf(card.serverName, after, verify).peer)
      return {
        row: after,
        card,
        act: {
          actor: by,
          action: !row ? 'peer.pin' : verdict === 'newer' ? 'peer.card' : 'peer.change',
          target: card.serverName,
          detail: { root_key: rootOf(card), serial: card.serial, ...auditable(given) },
        },
      }
    })

  const asItIs = (name: ServerName): Pin | undefined => {
    const pin = pins.get(name)
    return pin && { ...pin, peer: get(name)! }
  }

  const pinnedNow = (name: ServerName): Pin => {
    const pin = asItIs(name)
    if (!pin) throw notPinned(name)
    return pin
  }

  return {
    get,
    all: () => [...pins.keys()].map(name => get(name)!),
    mayReceiveFrom: name => allows(get(name), 'inbound'),
    maySendTo: name => allows(get(name), 'outbound'),
    isKnown: name => name === ourselves || pins.has(name),
    residencyOf: name => (name === ourselves ? deps.residency : pins.get(name)?.peer.residency),
    onChange: listener => void listeners.push(listener),
    pin: asItIs,
    pins: () => [...pins.keys()].map(name => asItIs(name)!),

    async checkCard(json) {
      const card = openCard(json, verify)
      if (card.serverName === ourselves) throw ofOurselves()
      const held = pins.get(card.serverName)
      if (held?.row.kind === 'homeserver') throw pinnedByKey(card.serverName)
      const newest = await store.read(view => view.get(cardSerialTable.key(rootOf(card))))
      judgeCard(card, held?.card ?? null, newest)
      return { card, held }
    },

    async pinSite(by, json, terms = {}) {
      const card = openCard(json, verify)
      if (card.serverName === ourselves) throw ofOurselves()
      if (terms.residency !== undefined) throw malformed('The residency of a site stands in its card.')
      await takeCard(by, card, readTerms(terms), false)
      return pinnedNow(card.serverName)
    },

    async pinHomeserver(by, name, terms) {
      const serverName = parseServerName(name)
      if (!serverName) throw malformed('The homeserver has no valid server name.')
      if (serverName === ourselves) throw ofOurselves()
      const key = readSigningKey(terms.key)
      const given = readTerms(terms)
      await alter(serverName, async (_tx, row) => {
        if (row) throw alreadyPinned(serverName, row.kind)
        const first: PeerRow = {
          ...firstRow('homeserver', by, clock()),
          ...given,
          signingKeys: [{ id: key.id, publicKey: encodeBase64(key.publicKey) }],
        }
        mustBeReachable(pinOf(serverName, first, verify).peer)
        return {
          row: first,
          act: {
            actor: by,
            action: 'peer.pin',
            target: serverName,
            detail: { key_id: key.id, public_key: encodeBase64(key.publicKey), ...auditable(given) },
          },
        }
      })
      return pinnedNow(serverName)
    },

    async rotate(by, name, keyText, seen) {
      const { id, publicKey } = readSigningKey(keyText)
      const detail = { key_id: id, public_key: encodeBase64(publicKey) }
      const next = (row: PeerRow): PeerRow => {
        if (row.kind === 'site') {
          throw new PeerError('PIN_OF_OTHER_KIND', `${name} is a site: its keys change by a newer card.`)
        }
        const known = row.signingKeys?.find(key => key.id === id)
        if (known) {
          throw known.publicKey === detail.public_key
            ? new PeerError('PIN_EXISTS', `${name} is pinned by that key already.`)
            : malformed(`${name} had another key of the name ${id}: a new key has a new name.`)
        }
        const now = clock()
        const old = (row.signingKeys ?? []).map(key => ({ ...key, expiredTs: key.expiredTs ?? now }))
        return { ...row, signingKeys: [...old, { id, publicKey: detail.public_key }] }
      }
      await alterPinned(by, name, 'rotate', next, { detail, seen })
      return pinnedNow(name)
    },

    async change(by, name, terms, seen) {
      const given = readTerms(terms)
      const next = (row: PeerRow): PeerRow => {
        if (row.kind === 'site' && given.residency !== undefined)
          throw malformed('The residency of a site stands in its card.')
        const after = { ...row, ...given, ...(given.tls ? { tls: { ...row.tls, ...given.tls } } : {}) }
        mustBeReachable(pinOf(name, after, verify).peer)
        return after
      }
      const narrows = given.direction !== undefined && given.direction !== 'both'
      const change = () => alterPinned(by, name, 'change', next, { detail: auditable(given), seen })
      await (narrows ? withdraw(name, change) : change())
      return pinnedNow(name)
    },

    async suspend(by, name, seen) {
      const next = (row: PeerRow) => ({ ...row, suspended: true })
      await withdraw(name, () => alterPinned(by, name, 'suspend', next, { seen }))
      return pinnedNow(name)
    },

    async resume(by, name, seen) {
      await alterPinned(
        by,
        name,
        'resume',
        ({ suspended: _, afterRepair: _looked, conflict: _seen, ...row }) => row,
        { seen },
      )
      return pinnedNow(name)
    },

    remove: (by, name, seen) => withdraw(name, () => alterPinned(by, name, 'remove', () => null, { seen })),

    async offerCard(name, json) {
      const pin = pinnedNow(name)
      const card = openCard(json, verify)
      if (card.serverName !== name) throw new PeerError('CARD_OTHER_SERVER', `That is no card of ${name}.`)
      if (pin.row.kind === 'homeserver') throw pinnedByKey(name)
      // Most cards that are offered are the one that is held: they cost a signature, not a transaction.
      if (pin.card && digestOf(pin.card) === digestOf(card)) return 'same'
      await takeCard('system', card, {}, true)
      return 'replaced'
    },

    async offerKeys(name, keys) {
      const pin = pinnedNow(name)
      if (pin.row.kind === 'site') throw new PeerError('PIN_OF_OTHER_KIND', `${name} is pinned by its card.`)
      if (!withOfferedKeys(pin.row, keys)) return 'same'
      await alter(name, async (_tx, row) => {
        const after = row && withOfferedKeys(row, keys)
        if (!after) return null
        const detail = { key_ids: (after.signingKeys ?? []).map(key => key.id) }
        const now = { changedBy: 'system', changedTs: clock() }
        return {
          row: { ...after, ...now },
          act: { actor: 'system', action: 'peer.keys', target: name, detail },
        }
      })
      return 'replaced'
    },
  }
}

/**
 * What an administrator can do about peers: one act a function, from a JSON body to a JSON answer. The administration API
 * and the command `letro peer` call the same ones.
 *
 * A pin needs the words of the key that was compared (`fingerprint`): a file that was swapped between looking and pinning
 * is not pinned.
 */
import { mayInteger, mayObject, mayString, mayStrings, needObject, needString } from '../http/fields.ts'
import { invalidParam } from '../http/matrix-error.ts'
import type { OutboundStatus } from '../peers/outbound.ts'
import { PeerError } from '../peers/peer-error.ts'
import type { Pin, PinTerms } from '../peers/pin.ts'
import { readSigningKey, versionOf } from '../peers/pin.ts'
import type { PeerBook } from '../peers/pins.ts'
import type { AuditAct } from '../protocol/audit-chain.ts'
import { encodeBase64 } from '../protocol/base64.ts'
import type { Card } from '../protocol/card.ts'
import { fingerprintWords, sameFingerprint } from '../protocol/fingerprint-words.ts'
import { parseServerName, type ServerName } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { sha256 } from '../rooms/primitives.ts'

export interface PeerActsDeps {
  readonly peers: PeerBook
  readonly site: { readonly card: Card; rotateSigningKey(): Promise<string> }
  /** What waits for a peer. */
  readonly outbound: (serverName: ServerName) => Promise<OutboundStatus | null>
  readonly audit: (act: AuditAct) => Promise<void>
}

export type PeerAct = (by: string, body: JsonObject) => Promise<JsonObject>
export type PeerActs = ReturnType<typeof openPeerActs>

export function openPeerActs({ peers, site, outbound, audit }: PeerActsDeps) {
  const show = async (pin: Pin) => peerAnswer(pin, await outbound(pin.peer.serverName))
  const known = (body: JsonObject): Pin => {
    const pin = peers.pin(serverNameIn(body))
    if (!pin) throw new PeerError('NOT_PINNED', `${body['server_name']} is not pinned.`)
    return pin
  }

  return {
    list: async () => {
      const sorted = [...peers.pins()].sort((a, b) => (a.peer.serverName < b.peer.serverName ? -1 : 1))
      return { peers: await Promise.all(sorted.map(show)) }
    },
    show: async (_by, body) => show(known(body)),
    check: async (_by, body) => {
      const homeserver = mayString(body, 'homeserver', 255)
      if (homeserver !== undefined) {
        const serverName = parseServerName(homeserver)
        if (!serverName) throw invalidParam('homeserver is no server name.')
        const { publicKey } = readSigningKey(needString(body, 'key', 400))
        const held = peers.pin(serverName)
        return {
          server_name: serverName,
          fingerprint: wordsOf(publicKey),
          pinned: held ? await show(held) : null,
        }
      }
      const { card, held } = await peers.checkCard(needObject(body, 'card'))
      return { ...cardAnswer(card), pinned: held ? await show(held) : null }
    },
    pin: async (by, body) => {
      const terms = termsIn(body)
      const homeserver = mayString(body, 'homeserver', 255)
      if (homeserver !== undefined) {
        const key = needString(body, 'key', 400)
        mustBeCompared(body, readSigningKey(key).publicKey)
        return show(await peers.pinHomeserver(by, homeserver, { ...terms, key }))
      }
      const { card, held } = await peers.checkCard(needObject(body, 'card'))
      // A newer card of a root that is pinned: people compared it already.
      if (!held?.card) mustBeCompared(body, card.rootKey)
      return show(await peers.pinSite(by, card.json, terms))
    },
    rotate: async (by, body) => {
      const key = needString(body, 'key', 400)
      const serverName = serverNameIn(body)
      mustBeCompared(body, readSigningKey(key).publicKey)
      return show(await peers.rotate(by, serverName, key, seenIn(body)))
    },
    change: async (by, body) => show(await peers.change(by, serverNameIn(body), termsIn(body), seenIn(body))),
    suspend: async (by, body) => show(await peers.suspend(by, serverNameIn(body), seenIn(body))),
    resume: async (by, body) => show(await peers.resume(by, serverNameIn(body), seenIn(body))),
    remove: async (by, body) => {
      await peers.remove(by, serverNameIn(body), seenIn(body))
      return {}
    },
    'our-card': async () => ({ card: site.card.json, fingerprint: wordsOf(site.card.rootKey) }),
    'rotate-our-key': async by => {
      const before = site.card.eventSigning.find(key => key.expiredTs === undefined)?.id
      // Said first: a key file is no row, and no rotation may happen that the audit does not know.
      await audit({ actor: by, action: 'site.rotate-key', ...(before ? { detail: { from: before } } : {}) })
      const keyId = await site.rotateSigningKey()
      return { key_id: keyId, serial: site.card.serial }
    },
  } satisfies Record<string, PeerAct>
}

function serverNameIn(body: JsonObject): ServerName {
  const serverName = parseServerName(needString(body, 'server_name', 255))
  if (!serverName) throw invalidParam('server_name is no server name.')
  return serverName
}

/** The version of the pin that was looked at. */
function seenIn(body: JsonObject): string | undefined {
  return mayString(body, 'version', 64)
}

function termsIn(body: JsonObject): PinTerms {
  const address = mayObject(body, 'address')
  return {
    direction: mayString(body, 'direction', 20) as PinTerms['direction'],
    transport: mayString(body, 'transport', 20) as PinTerms['transport'],
    address: address && {
      host: needString(address, 'host', 253),
      port: mayInteger(address, 'port', 1, 65_535) ?? 8448,
    },
    spkiSha256: mayStrings(body, 'spki_sha256'),
    ca: mayString(body, 'ca', 32_768),
    residency: mayString(body, 'residency', 32),
    note: mayString(body, 'note', 1000),
  }
}

function mustBeCompared(body: JsonObject, publicKey: Uint8Array): void {
  if (sameFingerprint(wordsOf(publicKey), needString(body, 'fingerprint', 400))) return
  throw new PeerError(
    'FINGERPRINT_MISMATCH',
    'The words are not those of this key: it is not the one that was compared. Nothing was pinned.',
  )
}

function wordsOf(publicKey: Uint8Array): readonly string[] {
  return fingerprintWords(publicKey, sha256)
}

function cardAnswer(card: Card): JsonObject {
  return {
    server_name: card.serverName,
    root_key: encodeBase64(card.rootKey),
    fingerprint: wordsOf(card.rootKey),
    serial: card.serial,
    issued_ts: card.issuedTs,
    origins: card.origins,
    ...(card.residency === undefined ? {} : { residency: card.residency }),
    address: { ...card.address },
  }
}

function peerAnswer({ peer, row, card }: Pin, outbound: OutboundStatus | null): JsonObject {
  const keys = [...peer.signingKeys]
  const current = keys.find(([, key]) => key.expiredTs === undefined)?.[1]
  const pinned = card?.rootKey ?? current?.publicKey
  return {
    server_name: peer.serverName,
    kind: peer.kind,
    suspended: peer.suspended,
    ...(row.afterRepair ? { after_repair: true } : {}),
    direction: peer.direction,
    transport: peer.transport,
    address: { host: peer.host, port: peer.port },
    fingerprint: pinned ? wordsOf(pinned) : [],
    ...(card
      ? {
          root_key: encodeBase64(card.rootKey),
          serial: card.serial,
          issued_ts: card.issuedTs,
          origins: card.origins,
        }
      : {}),
    signing_keys: keys.map(([id, { publicKey, expiredTs }]) => ({
      id,
      public_key: encodeBase64(publicKey),
      ...(expiredTs === undefined ? {} : { expired_ts: expiredTs }),
    })),
    tls: { spki_sha256: peer.tls.spkiSha256, ca: peer.tls.ca !== undefined },
    ...(peer.residency === undefined ? {} : { residency: peer.residency }),
    ...(row.note === undefined ? {} : { note: row.note }),
    pinned_by: row.pinnedBy,
    pinned_ts: row.pinnedTs,
    changed_by: row.changedBy,
    changed_ts: row.changedTs,
    version: versionOf(row),
    ...(row.conflict ? { conflict: { serial: row.conflict.serial, seen_ts: row.conflict.seenTs } } : {}),
    ...(outbound
      ? {
          outbound: {
            length: outbound.length,
            ...(outbound.oldestTs === undefined ? {} : { oldest_ts: outbound.oldestTs }),
            ...(outbound.lastError === undefined ? {} : { last_error: outbound.lastError }),
            ...(outbound.nextTryTs === undefined ? {} : { next_try_ts: outbound.nextTryTs }),
          },
        }
      : {}),
  }
}

/**
 * An Olm session: the double ratchet between two devices.
 *
 * A session is a value. `encrypt` and `decrypt` give the session that follows; nothing changes until the caller keeps
 * it, so what is refused has changed nothing. Who keeps two successors of one session sends two messages under one key:
 * the caller stores before it sends.
 *
 * Spec: olm-megolm/olm. Wire-compatible with `m.olm.v1.curve25519-aes-sha2`.
 */

import { encodeBase64 } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { concat } from './bytes.ts'
import { type ChainKey, cipherKeysOf, type MessageKey, messageKeyOf, nextChainKey } from './chain-key.ts'
import { E2eeError } from './errors.ts'
import {
  decodeNormalMessage,
  decodePreKeyMessage,
  encodeNormalMessage,
  encodePreKeyMessage,
  macBytes,
  type NormalMessage,
  type PreKeyMessage,
} from './olm-message.ts'
import {
  aesCbcDecrypt,
  aesCbcEncrypt,
  curve25519KeyPair,
  curve25519SharedSecret,
  decodeSecret,
  encodeSecret,
  equal,
  hmacSha256,
  type KeyPair,
  sha256,
} from './primitives.ts'
import { advanceRootKey, firstRootKey } from './root-key.ts'

/** A message may be so far ahead of its chain: more would let anybody make us hash for minutes (attack 15). */
const maxGap = 2_000
/** Keys of messages that have not come yet, a chain; the oldest go first. The other implementations keep as many. */
const maxSkippedKeys = 40
const maxReceivingChains = 5

export interface OlmMessage {
  /** 0: a pre-key message, with all that the other side needs to make the session; 1: a normal one. */
  readonly type: 0 | 1
  readonly body: Uint8Array
}

/** Public keys of the first message; they name the session. */
interface SessionKeys {
  /** Of the side that began. */
  readonly identityKey: Uint8Array
  readonly baseKey: Uint8Array
  /** Of the other side. */
  readonly oneTimeKey: Uint8Array
}

/** We have a ratchet key of our own that they do not know to be replaced. */
interface ActiveSending {
  readonly kind: 'active'
  readonly rootKey: Uint8Array
  readonly ourRatchetKey: KeyPair
  readonly chain: ChainKey
}

/** They have replaced theirs: the next message begins a chain with a fresh one of ours. */
interface InactiveSending {
  readonly kind: 'inactive'
  readonly rootKey: Uint8Array
  readonly remoteRatchetKey: Uint8Array
}

interface ReceivingChain {
  readonly remoteRatchetKey: Uint8Array
  readonly chain: ChainKey
  readonly skipped: readonly MessageKey[]
}

interface State {
  readonly keys: SessionKeys
  readonly sending: ActiveSending | InactiveSending
  /** Newest first. */
  readonly receiving: readonly ReceivingChain[]
  /** We began, and nothing has come back yet: they may not have the session. */
  readonly isUnanswered: boolean
}

export class OlmSession {
  readonly #state: State

  private constructor(state: State) {
    this.#state = state
  }

  /** @throws E2eeError NON_CONTRIBUTORY_KEY */
  static outbound(
    ourIdentityKey: KeyPair,
    remoteIdentityKey: Uint8Array,
    remoteOneTimeKey: Uint8Array,
    randomBytes: (size: number) => Uint8Array,
  ): OlmSession {
    const baseKey = curve25519KeyPair(randomBytes(32))
    const ourRatchetKey = curve25519KeyPair(randomBytes(32))
    const { rootKey, chain } = firstRootKey([
      curve25519SharedSecret(ourIdentityKey.privateKey, remoteOneTimeKey),
      curve25519SharedSecret(baseKey.privateKey, remoteIdentityKey),
      curve25519SharedSecret(baseKey.privateKey, remoteOneTimeKey),
    ])
    return new OlmSession({
      keys: {
        identityKey: ourIdentityKey.publicKey,
        baseKey: baseKey.publicKey,
        oneTimeKey: remoteOneTimeKey,
      },
      sending: { kind: 'active', rootKey, ourRatchetKey, chain },
      receiving: [],
      isUnanswered: true,
    })
  }

  /**
   * The session that a pre-key message begins; decrypt the message with it, and keep it only if that works.
   * @throws E2eeError NON_CONTRIBUTORY_KEY, BAD_MESSAGE_FORMAT
   */
  static inbound(ourIdentityKey: KeyPair, ourOneTimeKey: KeyPair, first: PreKeyMessage): OlmSession {
    const { rootKey, chain } = firstRootKey([
      curve25519SharedSecret(ourOneTimeKey.privateKey, first.identityKey),
      curve25519SharedSecret(ourIdentityKey.privateKey, first.baseKey),
      curve25519SharedSecret(ourOneTimeKey.privateKey, first.baseKey),
    ])
    const { ratchetKey } = decodeNormalMessage(first.message)
    return new OlmSession({
      keys: {
        identityKey: first.identityKey,
        baseKey: first.baseKey,
        oneTimeKey: ourOneTimeKey.publicKey,
      },
      sending: { kind: 'inactive', rootKey, remoteRatchetKey: ratchetKey },
      receiving: [{ remoteRatchetKey: ratchetKey, chain, skipped: [] }],
      isUnanswered: false,
    })
  }

  /** Unpadded base64; both sides compute the same. */
  get id(): string {
    const { identityKey, baseKey, oneTimeKey } = this.#state.keys
    return encodeBase64(sha256(concat([identityKey, baseKey, oneTimeKey])))
  }

  /** Has the other side answered? Until then every message carries the keys that make the session. */
  get isUnanswered(): boolean {
    return this.#state.isUnanswered
  }

  /** Was this pre-key message made by the other side's copy of this session? */
  isBegunBy(message: PreKeyMessage): boolean {
    const { identityKey, baseKey, oneTimeKey } = this.#state.keys
    return (
      equal(identityKey, message.identityKey) &&
      equal(baseKey, message.baseKey) &&
      equal(oneTimeKey, message.oneTimeKey)
    )
  }

  async encrypt(
    plaintext: Uint8Array,
    randomBytes: (size: number) => Uint8Array,
  ): Promise<{ message: OlmMessage; session: OlmSession }> {
    const { keys, isUnanswered } = this.#state
    const sending = activeSending(this.#state.sending, randomBytes)
    const { aesKey, hmacKey, iv } = cipherKeysOf(messageKeyOf(sending.chain).key, 'OLM_KEYS')
    const ciphertext = await aesCbcEncrypt(aesKey, iv, plaintext)
    const normal = encodeNormalMessage(
      sending.ourRatchetKey.publicKey,
      sending.chain.index,
      ciphertext,
      authenticated => hmacSha256(hmacKey, authenticated).slice(0, macBytes),
    )
    const session = new OlmSession({
      ...this.#state,
      sending: { ...sending, chain: nextChainKey(sending.chain) },
    })
    const message: OlmMessage = isUnanswered
      ? { type: 0, body: encodePreKeyMessage({ ...keys, message: normal }) }
      : { type: 1, body: normal }
    return { message, session }
  }

  /**
   * @throws E2eeError BAD_MESSAGE_FORMAT, BAD_MESSAGE_VERSION, OLM_BAD_MAC, OLM_MESSAGE_KEY_GONE (a replay, or too late),
   * OLM_GAP_TOO_LARGE, OLM_UNKNOWN_RATCHET_KEY, NON_CONTRIBUTORY_KEY, BAD_PADDING
   */
  async decrypt(message: OlmMessage): Promise<{ plaintext: Uint8Array; session: OlmSession }> {
    const normal = decodeNormalMessage(
      message.type === 0 ? decodePreKeyMessage(message.body).message : message.body,
    )
    const { messageKey, state } = keyFor(this.#state, normal)
    const { aesKey, hmacKey, iv } = cipherKeysOf(messageKey.key, 'OLM_KEYS')
    // Nothing of the new state is kept before this holds (attack 15).
    if (!equal(hmacSha256(hmacKey, normal.authenticated).subarray(0, macBytes), normal.mac)) {
      throw new E2eeError('OLM_BAD_MAC', 'an Olm message was not made with this session')
    }
    const plaintext = await aesCbcDecrypt(aesKey, iv, normal.ciphertext)
    return { plaintext, session: new OlmSession({ ...state, isUnanswered: false }) }
  }

  toRecord(): JsonObject {
    const { keys, sending, receiving, isUnanswered } = this.#state
    return {
      algorithm: 'm.olm.v1.curve25519-aes-sha2',
      version: 1,
      identityKey: encodeBase64(keys.identityKey),
      baseKey: encodeBase64(keys.baseKey),
      oneTimeKey: encodeBase64(keys.oneTimeKey),
      isUnanswered,
      rootKey: encodeSecret(sending.rootKey),
      sending:
        sending.kind === 'active'
          ? {
              ratchetKey: encodeSecret(sending.ourRatchetKey.privateKey),
              publicRatchetKey: encodeBase64(sending.ourRatchetKey.publicKey),
              ...chainRecord(sending.chain),
            }
          : { remoteRatchetKey: encodeBase64(sending.remoteRatchetKey) },
      receiving: receiving.map(({ remoteRatchetKey, chain, skipped }) => ({
        remoteRatchetKey: encodeBase64(remoteRatchetKey),
        ...chainRecord(chain),
        skipped: skipped.map(chainRecord),
      })),
    }
  }

  /** @throws E2eeError BAD_RECORD */
  static fromRecord(record: JsonObject): OlmSession {
    const { sending, receiving } = record
    if (
      record['algorithm'] !== 'm.olm.v1.curve25519-aes-sha2' ||
      !isObject(sending) ||
      !Array.isArray(receiving)
    ) {
      throw badRecord()
    }
    const rootKey = secretOf(record['rootKey'])
    return new OlmSession({
      keys: {
        identityKey: secretOf(record['identityKey']),
        baseKey: secretOf(record['baseKey']),
        oneTimeKey: secretOf(record['oneTimeKey']),
      },
      isUnanswered: record['isUnanswered'] === true,
      sending:
        'ratchetKey' in sending
          ? {
              kind: 'active',
              rootKey,
              ourRatchetKey: {
                privateKey: secretOf(sending['ratchetKey']),
                publicKey: secretOf(sending['publicRatchetKey']),
              },
              chain: chainOf(sending),
            }
          : { kind: 'inactive', rootKey, remoteRatchetKey: secretOf(sending['remoteRatchetKey']) },
      receiving: receiving.map(each => {
        if (!isObject(each) || !Array.isArray(each['skipped'])) throw badRecord()
        return {
          remoteRatchetKey: secretOf(each['remoteRatchetKey']),
          chain: chainOf(each),
          skipped: each['skipped'].map(chainOf),
        }
      }),
    })
  }
}

function activeSending(
  sending: ActiveSending | InactiveSending,
  randomBytes: (size: number) => Uint8Array,
): ActiveSending {
  if (sending.kind === 'active') return sending
  const ourRatchetKey = curve25519KeyPair(randomBytes(32))
  const { rootKey, chain } = advanceRootKey(
    sending.rootKey,
    ourRatchetKey.privateKey,
    sending.remoteRatchetKey,
  )
  return { kind: 'active', rootKey, ourRatchetKey, chain }
}

/** The key of a message, and the state once it is used. */
function keyFor(state: State, message: NormalMessage): { messageKey: MessageKey; state: State } {
  const at = state.receiving.findIndex(({ remoteRatchetKey }) => equal(remoteRatchetKey, message.ratchetKey))
  if (at >= 0) {
    const { messageKey, chain } = takeKey(state.receiving[at]!, message.chainIndex)
    return { messageKey, state: { ...state, receiving: state.receiving.with(at, chain) } }
  }
  // A new chain of theirs answers a ratchet key of ours.
  const { sending } = state
  if (sending.kind === 'inactive') {
    throw new E2eeError('OLM_UNKNOWN_RATCHET_KEY', 'an Olm message belongs to no chain of this session')
  }
  const advanced = advanceRootKey(sending.rootKey, sending.ourRatchetKey.privateKey, message.ratchetKey)
  const fresh = { remoteRatchetKey: message.ratchetKey, chain: advanced.chain, skipped: [] }
  const { messageKey, chain } = takeKey(fresh, message.chainIndex)
  return {
    messageKey,
    state: {
      ...state,
      sending: { kind: 'inactive', rootKey: advanced.rootKey, remoteRatchetKey: message.ratchetKey },
      receiving: [chain, ...state.receiving].slice(0, maxReceivingChains),
    },
  }
}

function takeKey(
  receiving: ReceivingChain,
  index: number,
): { messageKey: MessageKey; chain: ReceivingChain } {
  let { chain, skipped } = receiving
  if (index < chain.index) {
    const messageKey = skipped.find(each => each.index === index)
    if (!messageKey) {
      throw new E2eeError('OLM_MESSAGE_KEY_GONE', `the key of Olm message ${index} was used or came too late`)
    }
    return { messageKey, chain: { ...receiving, skipped: skipped.filter(each => each !== messageKey) } }
  }
  if (index - chain.index > maxGap) {
    throw new E2eeError('OLM_GAP_TOO_LARGE', `an Olm message is ${index - chain.index} ahead of its chain`)
  }
  const passed: MessageKey[] = []
  for (; chain.index < index; chain = nextChainKey(chain)) {
    if (index - chain.index <= maxSkippedKeys) passed.push(messageKeyOf(chain))
  }
  skipped = [...skipped, ...passed].slice(-maxSkippedKeys)
  return { messageKey: messageKeyOf(chain), chain: { ...receiving, chain: nextChainKey(chain), skipped } }
}

function chainRecord({ key, index }: ChainKey): JsonObject {
  return { key: encodeSecret(key), index }
}

function chainOf(record: unknown): ChainKey {
  if (!isObject(record) || typeof record['index'] !== 'number') throw badRecord()
  return { key: secretOf(record['key']), index: record['index'] }
}

function secretOf(text: unknown): Uint8Array {
  const secret = typeof text === 'string' ? decodeSecret(text) : null
  if (secret?.length !== 32) throw badRecord()
  return secret
}

function badRecord(): E2eeError {
  return new E2eeError('BAD_RECORD', 'a stored Olm session is not one')
}

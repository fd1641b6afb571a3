/**
 * Ours and vodozemac's ratchets in one worker, text in and bytes out on both sides, as the engine has them from events.
 *
 * What a step needs beforehand (messages to open, keys to begin with) is made outside the time that counts. Both open
 * what the other side of the same kind wrote: equal plaintexts, equal sizes, every message once.
 */

import startVodozemac, {
  Account as TheirAccount,
  GroupSession as TheirGroupSession,
  InboundGroupSession as TheirInboundGroupSession,
  type Session as TheirSession,
} from 'vodozemac-wasm-bindings'
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { Account } from '../../../pwa/e2ee/account.ts'
import { InboundGroupSession } from '../../../pwa/e2ee/inbound-group-session.ts'
import { decodePreKeyMessage } from '../../../pwa/e2ee/olm-message.ts'
import { OlmSession } from '../../../pwa/e2ee/olm-session.ts'
import { curve25519KeyPair, randomBytes, ready } from '../../../pwa/e2ee/primitives.ts'
import type { Asked, Operation, Rate } from './operation.ts'

/** Prepares some, and gives what is timed: it does them all. */
interface Measured {
  readonly count: number
  prepare(): () => unknown
}

const count = 50
const text = JSON.stringify({
  type: 'm.room.message',
  room_id: '!consultation:clinic.example',
  content: {
    msgtype: 'm.text',
    body: 'The patient in room 12 was seen at noon, all is well. السلام عليكم '.repeat(3),
  },
})
const plaintext = new TextEncoder().encode(text)

const started = start()

self.onmessage = async ({ data }: MessageEvent<Asked>) => {
  try {
    await started
    self.postMessage(await measure(data))
  } catch (error) {
    self.postMessage({ failed: String((error as Error)?.stack ?? error) })
  }
}

async function start(): Promise<void> {
  await ready
  // Its entry point looks for a window, which a worker has not, and stops there; the functions are ready by then.
  await startVodozemac().catch(error => {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error
  })
}

async function measure({ operation, whose, seconds }: Asked): Promise<Rate> {
  const { prepare, count } = operations[operation][whose]()
  // Compiled and warm before it counts.
  for (let i = 0; i < 2; i++) await prepare()()
  let spentMs = 0
  let done = 0
  while (spentMs < seconds * 1000) {
    const act = prepare()
    const begun = performance.now()
    await act()
    spentMs += performance.now() - begun
    done += count
  }
  return { perSecond: (done * 1000) / spentMs, count: done }
}

const operations: Record<Operation, Record<'ours' | 'theirs', () => Measured>> = {
  'megolm-decrypt': {
    ours() {
      const { sessionKey, messages } = groupMessages()
      return {
        count,
        prepare() {
          const session = InboundGroupSession.fromSessionKey(sessionKey)
          return async () => {
            for (const message of messages) {
              expectText((await session.decrypt(decodeBase64(message)!)).plaintext)
            }
          }
        },
      }
    },
    theirs() {
      const { sessionKey, messages } = groupMessages()
      return {
        count,
        prepare() {
          const session = new TheirInboundGroupSession(sessionKey)
          return () => {
            for (const message of messages) {
              const decrypted = session.decrypt(message)
              expectText(decrypted.plaintext)
              decrypted.free()
            }
            session.free()
          }
        },
      }
    },
  },
  'olm-outbound': {
    ours() {
      const account = Account.create(randomBytes)
      const remote = publicKeys()
      return {
        count,
        prepare: () => async () => {
          for (const { identityKey, oneTimeKey } of remote) {
            const session = OlmSession.outbound(
              account.identityKey,
              decodeBase64(identityKey)!,
              decodeBase64(oneTimeKey)!,
              randomBytes,
            )
            encodeBase64((await session.encrypt(plaintext, randomBytes)).message.body)
          }
        },
      }
    },
    theirs() {
      const account = new TheirAccount()
      const remote = publicKeys()
      return {
        count,
        prepare: () => () => {
          for (const { identityKey, oneTimeKey } of remote) {
            const session = account.create_outbound_session(identityKey, oneTimeKey)
            session.encrypt(plaintext).free()
            session.free()
          }
        },
      }
    },
  },
  'olm-inbound': {
    ours() {
      const account = Account.create(randomBytes)
      const oneTimeKeys = Array.from({ length: count }, () => curve25519KeyPair())
      const messages = firstMessages(
        account.curve25519Key,
        oneTimeKeys.map(({ publicKey }) => encodeBase64(publicKey)),
      )
      return {
        count,
        prepare: () => async () => {
          for (const [i, { body }] of messages.entries()) {
            const message = { type: 0, body: decodeBase64(body)! } as const
            const session = OlmSession.inbound(
              account.identityKey,
              oneTimeKeys[i]!,
              decodePreKeyMessage(message.body),
            )
            expectText((await session.decrypt(message)).plaintext)
          }
        },
      }
    },
    theirs() {
      return {
        count,
        prepare() {
          const account = new TheirAccount()
          account.generate_one_time_keys(count)
          const oneTimeKeys = [...account.one_time_keys.values()] as string[]
          const messages = firstMessages(account.curve25519_key, oneTimeKeys)
          return () => {
            for (const { identityKey, body } of messages) {
              const begun = account.create_inbound_session(identityKey, 0, body)
              expectText(begun.plaintext)
              begun.free()
            }
            account.free()
          }
        },
      }
    },
  },
  'session-import': {
    ours() {
      const keys = sessionKeys()
      return {
        count,
        prepare: () => () => {
          for (const key of keys) InboundGroupSession.fromSessionKey(key)
        },
      }
    },
    theirs() {
      const keys = sessionKeys()
      return {
        count,
        prepare: () => () => {
          for (const key of keys) new TheirInboundGroupSession(key).free()
        },
      }
    },
  },
}

function groupMessages(): { sessionKey: string; messages: string[] } {
  const session = new TheirGroupSession()
  const sessionKey = session.session_key
  return { sessionKey, messages: Array.from({ length: count }, () => session.encrypt(plaintext)) }
}

function sessionKeys(): string[] {
  return Array.from({ length: count }, () => new TheirGroupSession().session_key)
}

function publicKeys(): { identityKey: string; oneTimeKey: string }[] {
  const key = () => encodeBase64(curve25519KeyPair().publicKey)
  return Array.from({ length: count }, () => ({ identityKey: key(), oneTimeKey: key() }))
}

/** A pre-key message to each one-time key, each from a session of its own. */
function firstMessages(identityKey: string, oneTimeKeys: readonly string[]) {
  const sender = new TheirAccount()
  return oneTimeKeys.map(oneTimeKey => {
    const session: TheirSession = sender.create_outbound_session(identityKey, oneTimeKey)
    const message = session.encrypt(plaintext)
    return { identityKey: sender.curve25519_key, body: message.ciphertext }
  })
}

function expectText(opened: Uint8Array): void {
  if (opened.length !== plaintext.length) throw new Error('another plaintext came out')
}

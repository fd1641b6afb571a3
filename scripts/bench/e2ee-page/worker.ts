/**
 * Ours and vodozemac's ratchets in one worker, text in and bytes out on both sides, as the engine has them from events.
 *
 * What a step needs beforehand (messages to open, keys to begin with) is made outside the time that counts. Both get
 * the same messages and keys, but for the one-time keys of Olm inbound, whose private halves cannot be shared. They
 * take turns, a batch each, so that what else the machine does hits both alike.
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
import type { Asked, Operation, Rate, Rates } from './operation.ts'

/** Prepares a batch, outside the time that counts, and gives what is timed: it does all of the batch. */
type Prepare = () => () => unknown

interface Sides {
  readonly ours: Prepare
  readonly theirs: Prepare
}

const batchSize = 50
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

async function measure({ operation, seconds }: Asked): Promise<Rates> {
  const { ours, theirs } = operations[operation]()
  // Compiled and warm before it counts.
  for (let i = 0; i < 2; i++) for (const prepare of [ours, theirs]) await timeBatch(prepare)
  const times = { ours: [] as number[], theirs: [] as number[] }
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    times.theirs.push(await timeBatch(theirs))
    times.ours.push(await timeBatch(ours))
  }
  return { ours: rateOf(times.ours), theirs: rateOf(times.theirs) }
}

async function timeBatch(prepare: Prepare): Promise<number> {
  const act = prepare()
  const begun = performance.now()
  await act()
  return performance.now() - begun
}

function rateOf(batchesMs: readonly number[]): Rate {
  const sorted = batchesMs.toSorted((one, other) => one - other)
  const sum = sorted.reduce((total, each) => total + each, 0)
  return {
    perSecond: (batchSize * 1000) / sorted[sorted.length >> 1]!,
    meanPerSecond: (batchSize * 1000 * sorted.length) / sum,
  }
}

const operations: Record<Operation, () => Sides> = {
  'megolm-decrypt'() {
    const { sessionKey, messages } = groupMessages()
    return {
      ours() {
        const session = InboundGroupSession.fromSessionKey(sessionKey)
        return async () => {
          for (const message of messages) {
            expectText((await session.decrypt(decodeBase64(message)!)).plaintext)
          }
        }
      },
      theirs() {
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
  'olm-outbound'() {
    const remote = publicKeys()
    const ourAccount = Account.create(randomBytes)
    const theirAccount = new TheirAccount()
    return {
      ours: () => async () => {
        for (const { identityKey, oneTimeKey } of remote) {
          const session = OlmSession.outbound(
            ourAccount.identityKey,
            decodeBase64(identityKey)!,
            decodeBase64(oneTimeKey)!,
            randomBytes,
          )
          encodeBase64((await session.encrypt(plaintext, randomBytes)).message.body)
        }
      },
      theirs: () => () => {
        for (const { identityKey, oneTimeKey } of remote) {
          const session = theirAccount.create_outbound_session(identityKey, oneTimeKey)
          const message = session.encrypt(plaintext)
          if (message.ciphertext.length === 0) throw new Error('nothing was encrypted')
          message.free()
          session.free()
        }
      },
    }
  },
  'olm-inbound'() {
    const ourAccount = Account.create(randomBytes)
    const ourOneTimeKeys = Array.from({ length: batchSize }, () => curve25519KeyPair())
    const messages = firstMessages(
      ourAccount.curve25519Key,
      ourOneTimeKeys.map(({ publicKey }) => encodeBase64(publicKey)),
    )
    return {
      ours: () => async () => {
        for (const [i, { body }] of messages.entries()) {
          const message = { type: 0, body: decodeBase64(body)! } as const
          const first = decodePreKeyMessage(message.body)
          const session = OlmSession.inbound(ourAccount.identityKey, ourOneTimeKeys[i]!, first)
          expectText((await session.decrypt(message)).plaintext)
        }
      },
      // A one-time key is gone once it was used: new ones for every batch.
      theirs() {
        const account = new TheirAccount()
        account.generate_one_time_keys(batchSize)
        const messages = firstMessages(account.curve25519_key, [...account.one_time_keys.values()])
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
  'session-import'() {
    const keys = Array.from({ length: batchSize }, () => new TheirGroupSession().session_key)
    return {
      ours: () => () => {
        for (const key of keys) InboundGroupSession.fromSessionKey(key)
      },
      theirs: () => () => {
        for (const key of keys) new TheirInboundGroupSession(key).free()
      },
    }
  },
}

function groupMessages(): { sessionKey: string; messages: string[] } {
  const session = new TheirGroupSession()
  const sessionKey = session.session_key
  return { sessionKey, messages: Array.from({ length: batchSize }, () => session.encrypt(plaintext)) }
}

function publicKeys(): { identityKey: string; oneTimeKey: string }[] {
  const key = () => encodeBase64(curve25519KeyPair().publicKey)
  return Array.from({ length: batchSize }, () => ({ identityKey: key(), oneTimeKey: key() }))
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

/**
 * Both ratchets over a network that loses, delays and repeats: what comes once and not too late is read, as it was
 * written; everything else is refused and changes nothing.
 */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { E2eeError } from '../../pwa/e2ee/errors.ts'
import { InboundGroupSession } from '../../pwa/e2ee/inbound-group-session.ts'
import { decodePreKeyMessage } from '../../pwa/e2ee/olm-message.ts'
import { type OlmMessage, OlmSession } from '../../pwa/e2ee/olm-session.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { curve25519KeyPair, randomBytes, ready } from '../../pwa/e2ee/primitives.ts'

test.before(() => ready)

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Who acts, and what the network does with a message on its way: the one `late` places behind the oldest. */
interface Act {
  readonly side: 0 | 1
  readonly kind: 'send' | 'deliver' | 'lose' | 'repeat' | 'damage'
  readonly late: number
}

const acts = fc.array(
  fc.record<Act>({
    side: fc.constantFrom(0, 1),
    kind: fc.oneof(
      { weight: 10, arbitrary: fc.constant('send' as const) },
      { weight: 8, arbitrary: fc.constant('deliver' as const) },
      { weight: 1, arbitrary: fc.constantFrom('lose' as const, 'repeat' as const, 'damage' as const) },
    ),
    late: fc.nat(3),
  }),
  { minLength: 2_200, maxLength: 2_400, size: 'max' },
)

interface Travelling {
  readonly message: OlmMessage
  readonly words: string
  /** By how many it was overtaken: four at most, so that nobody had to forget its key. */
  overtaken: number
}

test('an Olm conversation of 1,000 messages survives loss, delay, repetition and damage', async t => {
  await fc.assert(
    fc.asyncProperty(acts, async script => {
      const network = new OlmNetwork(t)
      for (const act of script) await network.perform(act)
      t.true(network.sent >= 900, `${network.sent} were sent`)
      t.true(network.read > network.sent / 2)
    }),
    // Shrinking so long a script takes minutes: the seed that is printed brings it back.
    { numRuns: 3, endOnFailure: true },
  )
})

class OlmNetwork {
  sent = 0
  read = 0
  readonly #t: ExecutionContext
  readonly #keys = [curve25519KeyPair(), curve25519KeyPair()] as const
  readonly #oneTimeKey = curve25519KeyPair()
  readonly #sessions: [OlmSession, OlmSession | null]
  /** To each side, the oldest first. */
  readonly #queues: [Travelling[], Travelling[]] = [[], []]
  readonly #delivered: [OlmMessage[], OlmMessage[]] = [[], []]

  constructor(t: ExecutionContext) {
    this.#t = t
    const [alice, bob] = this.#keys
    this.#sessions = [
      OlmSession.outbound(alice, bob.publicKey, this.#oneTimeKey.publicKey, randomBytes),
      null,
    ]
  }

  async perform({ side, kind, late }: Act): Promise<void> {
    if (kind === 'send') return this.#send(side)
    const queue = this.#queues[side]
    if (kind === 'repeat') return this.#repeat(side, late)
    const most = queue.findIndex(each => each.overtaken >= 4)
    const at = Math.min(late, queue.length - 1, most < 0 ? late : most)
    if (at < 0) return
    if (kind === 'damage') return this.#damage(side, queue[at]!)
    const [travelling] = queue.splice(at, 1)
    for (const each of queue.slice(0, at)) each.overtaken++
    if (kind === 'deliver') await this.#deliver(side, travelling!)
  }

  async #send(side: 0 | 1): Promise<void> {
    const session = this.#sessions[side]
    if (!session) return
    const words = `${side} ${this.sent++}`
    const encrypted = await session.encrypt(utf8(words), randomBytes)
    this.#sessions[side] = encrypted.session
    this.#queues[side === 0 ? 1 : 0].push({ message: encrypted.message, words, overtaken: 0 })
  }

  async #deliver(side: 0 | 1, { message, words }: Travelling): Promise<void> {
    const session =
      this.#sessions[side] ??
      OlmSession.inbound(this.#keys[1], this.#oneTimeKey, decodePreKeyMessage(message.body))
    const opened = await session.decrypt(message)
    this.#t.is(text(opened.plaintext), words)
    // As the vault keeps it, now and then.
    this.#sessions[side] =
      this.read++ % 50 === 0 ? OlmSession.fromRecord(opened.session.toRecord()) : opened.session
    this.#delivered[side].push(message)
  }

  async #repeat(side: 0 | 1, late: number): Promise<void> {
    const message = this.#delivered[side].at(-1 - late)
    if (message) await this.#refused(side, message)
  }

  async #damage(side: 0 | 1, { message }: Travelling): Promise<void> {
    const at = message.body.length - 1 - (this.sent % 60)
    await this.#refused(side, { ...message, body: message.body.with(at, message.body[at]! ^ 1) })
  }

  async #refused(side: 0 | 1, message: OlmMessage): Promise<void> {
    const session = this.#sessions[side]
    if (!session) return
    const before = JSON.stringify(session.toRecord())
    await this.#t.throwsAsync(session.decrypt(message), { instanceOf: E2eeError })
    this.#t.is(JSON.stringify(session.toRecord()), before)
  }
}

test('1,000 Megolm messages are read in any order, each as it was written', async t => {
  let outbound = OutboundGroupSession.create(randomBytes)
  const sessionKey = outbound.sessionKey()
  const sent: Uint8Array[] = []
  for (let i = 0; i < 1_000; i++) {
    const { message, session } = await outbound.encrypt(utf8(`message ${i}`))
    sent.push(message)
    outbound = session
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ index: fc.nat(999), isDamaged: fc.boolean() }), {
        minLength: 250,
        size: 'max',
        maxLength: 300,
      }),
      fc.nat(999),
      async (order, from) => {
        const whole = InboundGroupSession.fromSessionKey(sessionKey)
        const later = InboundGroupSession.fromExport(whole.exportFrom(from))
        for (const { index, isDamaged } of order) {
          const message = sent[index]!
          if (isDamaged) {
            const damaged = message.with(index % message.length, message[index % message.length]! ^ 1)
            await t.throwsAsync(whole.decrypt(damaged), { instanceOf: E2eeError })
            continue
          }
          const opened = await whole.decrypt(message)
          t.deepEqual([text(opened.plaintext), opened.index], [`message ${index}`, index])
          if (index < from) await t.throwsAsync(later.decrypt(message), { code: 'MEGOLM_UNKNOWN_INDEX' })
          else t.is(text((await later.decrypt(message)).plaintext), `message ${index}`)
        }
        t.true(whole.isSameAs(later))
      },
    ),
    // Shrinking so long a script takes minutes: the seed that is printed brings it back.
    { numRuns: 3, endOnFailure: true },
  )
})

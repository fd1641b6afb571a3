/**
 * A new device of ours, brought in by one that is trusted: the first shows a code, the new one reads it, and both end
 * up knowing each other's keys from the code and not from the server.
 *
 * The new device says who it is and which identity the server showed it; the first holds that against its own, against
 * the keys that the server lists for that device, and only then signs it; the new one holds the answer against the
 * identity that it was shown, and takes that as its own. Then secrets go the usual way, between verified devices.
 *
 * A link is for one device. It lives in memory: where the browser ends in between, a new code is shown.
 */
import { decodeBase64Url } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { ApiError, isPassing } from '../api/api-error.ts'
import { inPath, v1, v3 } from '../api/http.ts'
import { isDeviceSigned, signOwnDevice, verifyIdentity } from '../e2ee/cross-signing.ts'
import { E2eeError } from '../e2ee/errors.ts'
import { readIdentity } from '../e2ee/identity.ts'
import { knownDevice } from '../e2ee/known-device.ts'
import { type OwnDevice, randomName } from '../e2ee/own-device.ts'
import { randomBytes } from '../e2ee/primitives.ts'
import type { Step } from '../e2ee/records.ts'
import { requestMissingSecrets } from '../e2ee/secret-sharing.ts'
import { backupSecret, crossSigningSecrets, readSecret } from '../e2ee/secrets.ts'
import type { DeviceMessage } from '../e2ee/to-device.ts'
import { TrustError } from './errors.ts'
import { learnBackup } from './key-backups.ts'
import { linkAddress, linkKeyBytes } from './link-address.ts'
import {
  type LinkMessage,
  type LinkSecret,
  linkMessageType,
  readLinkMessage,
  writeLinkMessage,
} from './link-message.ts'
import { refreshOwnList } from './own-list.ts'
import type { TrustDeps, TrustNotice } from './ports.ts'

/** From signing in to the hello the new device makes its vault, which a person confirms. */
const joiningMs = 10 * 60_000
/** Where a server says nothing: client-server-api#post_matrixclientv1loginget_token */
const tokenLifetimeMs = 2 * 60_000
/** A hello may come before the first device hears of the new one's keys, and answers get lost. */
const helloAgainMs = 10_000
const answerTimeoutMs = 2 * 60_000
/** The other device answers by itself; that takes a moment. */
const secretsTimeoutMs = 20_000

interface Offer {
  readonly secret: LinkSecret
  /** The device that joined: the first one whose hello held. */
  joined: LinkMessage | null
  isDone: boolean
  readonly forget: () => void
}

interface Joining {
  readonly secret: LinkSecret
  /** MACs of our hellos. */
  readonly said: Set<string>
  readonly answered: (answer: LinkMessage) => void
}

export class DeviceLinks {
  readonly #deps: TrustDeps
  readonly #offers = new Map<string, Offer>()
  readonly #joining = new Map<string, Joining>()

  constructor(deps: TrustDeps) {
    this.#deps = deps
  }

  // ── the first device ─────────────────────────────────────────────────────────────────────────────

  /** @throws ApiError CONFIRMATION_NEEDED, TrustError IDENTITY_NOT_HERE */
  async offer(auth: JsonObject | null): Promise<{ linkId: string; url: string; expiresTs: number }> {
    const { machine, http, clock, after } = this.#deps
    const { userId } = machine
    const mayLink = await machine.run(async step => {
      const identity = await readIdentity(step, userId)
      const signs = (await readSecret(step, 'm.cross_signing.self_signing')) !== null
      return identity !== null && identity.verifiedKey === identity.masterKey && signs
    })
    if (!mayLink) throw new TrustError('IDENTITY_NOT_HERE', 'this device cannot vouch for another one itself')
    // Spec: client-server-api#post_matrixclientv1loginget_token
    const answer = await http.request('POST', `${v1}/login/get_token`, { body: auth ? { auth } : {} })
    const { login_token: loginToken, expires_in_ms: expiresIn } = answer
    if (typeof loginToken !== 'string') throw new ApiError('BAD_ANSWER', 'the server gave no login token')
    const lifetimeMs = typeof expiresIn === 'number' ? expiresIn : tokenLifetimeMs
    const key = randomBytes(linkKeyBytes)
    const linkId = randomBytes(16).toBase64({ alphabet: 'base64url', omitPadding: true })
    const forget = after(lifetimeMs + joiningMs, () => {
      if (this.#offers.get(linkId)?.isDone) this.cancel(linkId)
      else this.#fail(linkId, 'LINK_TIMED_OUT')
    })
    this.#offers.set(linkId, { secret: { linkId, key, userId }, joined: null, isDone: false, forget })
    const keyText = key.toBase64({ alphabet: 'base64url', omitPadding: true })
    return {
      linkId,
      url: linkAddress({ origin: http.origin, linkId, key: keyText, loginToken }),
      expiresTs: clock() + lifetimeMs,
    }
  }

  cancel(linkId: string): void {
    this.#offers.get(linkId)?.forget()
    this.#offers.delete(linkId)
  }

  /** A message that came with a sync. What is not ours to take is dropped. */
  async receive({ sender, type, content }: DeviceMessage): Promise<void> {
    if (type !== linkMessageType || sender !== this.#deps.machine.userId) return
    const linkId = String(content['link_id'])
    const offer = this.#offers.get(linkId)
    const joining = this.#joining.get(linkId)
    try {
      if (offer) await this.#receiveHello(offer, content)
      if (joining) receiveAnswer(joining, content)
    } catch (error) {
      // Anybody who can write to this device can send rubbish: it ends nothing.
      if (!(error instanceof TrustError)) throw error
    }
  }

  async #receiveHello(offer: Offer, content: JsonObject): Promise<void> {
    const { secret } = offer
    const hello = readLinkMessage(secret, 'new', content)
    const isOther =
      offer.joined !== null &&
      (offer.joined.deviceId !== hello.deviceId || offer.joined.ed25519Key !== hello.ed25519Key)
    if (isOther) throw new TrustError('LINK_USED', 'another device has joined by this code')
    if (!offer.joined) this.#tell(secret.linkId, 'joined', null)
    offer.joined = hello
    const answer = async (refused: string | null) => {
      const message = { ...(await this.#ourselves()), answers: String(content['mac']), refused }
      await this.#send(hello.deviceId, writeLinkMessage(secret, 'first', message))
    }
    try {
      await this.#vouchFor(hello)
      await answer(null)
      if (!offer.isDone) this.#tell(secret.linkId, 'done', null)
      offer.isDone = true
    } catch (error) {
      // The next hello has us try again.
      if (isPassing(error)) return
      const code = codeOf(error)
      this.#fail(secret.linkId, code)
      if (!(error instanceof ApiError)) await answer(code)
    }
  }

  /** @throws TrustError LINK_OTHER_IDENTITY, LINK_OTHER_KEYS: the server tells the two of us different things */
  async #vouchFor(hello: LinkMessage): Promise<void> {
    const { machine, flush } = this.#deps
    await refreshOwnList(this.#deps)
    await machine.run(async (step, own) => {
      const identity = await readIdentity(step, own.userId)
      const ours = identity?.verifiedKey === identity?.masterKey ? identity?.masterKey : undefined
      if (ours !== hello.masterKey) {
        throw new TrustError(
          'LINK_OTHER_IDENTITY',
          'the server showed the new device another identity than ours',
        )
      }
      const device = await knownDevice(step, own.userId, hello.deviceId)
      if (device?.ed25519Key !== hello.ed25519Key) {
        throw new TrustError('LINK_OTHER_KEYS', 'the server lists other keys for the new device than it has')
      }
      await signOwnDevice(step, own, hello.deviceId)
    })
    await flush()
  }

  // ── the new device ───────────────────────────────────────────────────────────────────────────────

  /**
   * Says who we are, waits for the first device's word, and takes the identity as ours.
   * @throws TrustError LINK_MALFORMED, LINK_TIMED_OUT, LINK_OTHER_IDENTITY, LINK_OTHER_KEYS, LINK_NOT_SIGNED, ApiError
   */
  async complete(linkId: string, keyText: string): Promise<void> {
    const { machine } = this.#deps
    const key = decodeBase64Url(keyText)
    if (key?.length !== linkKeyBytes) throw new TrustError('LINK_MALFORMED', 'this is not the key of a link')
    await refreshOwnList(this.#deps)
    // Its key is among the secrets, and counts by what is known of the backup.
    try {
      await learnBackup(this.#deps)
    } catch (error) {
      if (!(error instanceof E2eeError)) throw error
    }
    const answer = await this.#sayHello({ linkId, key, userId: machine.userId })
    if (answer.refused !== null) {
      throw new TrustError(
        answer.refused,
        'the other device refused: the server tells the two different things',
      )
    }
    await refreshOwnList(this.#deps)
    await machine.run((step, own) => takeIdentity(step, own, answer))
    await this.#deps.flush()
    await this.#secretsArrived()
  }

  /** The key of secret storage was asked for before them. Without any of it this device is ours as well. */
  async #secretsArrived(): Promise<void> {
    const { machine, after } = this.#deps
    const hasAll = () =>
      machine.run(async step => {
        for (const name of [...crossSigningSecrets, backupSecret] as const) {
          if ((await readSecret(step, name)) === null) return false
        }
        return true
      })
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = after(secretsTimeoutMs, resolve)
    const unlisten = machine.onNotice(async notice => {
      if (notice.kind === 'secret' && (await hasAll())) resolve()
    })
    if (await hasAll()) resolve()
    await promise
    stop()
    unlisten()
  }

  async #sayHello(secret: LinkSecret): Promise<LinkMessage> {
    const { after } = this.#deps
    const { linkId } = secret
    const { promise, resolve, reject } = Promise.withResolvers<LinkMessage>()
    const said = new Set<string>()
    this.#joining.set(linkId, { secret, said, answered: resolve })
    let stopAgain = () => {}
    const say = async (): Promise<void> => {
      const message = { ...(await this.#ourselves()), answers: null, refused: null }
      const hello = writeLinkMessage(secret, 'new', message)
      said.add(String(hello['mac']))
      stopAgain = after(helloAgainMs, () => void say().catch(reject))
      // Which of our devices shows the code it does not say: the others cannot check the MAC, and drop it.
      await this.#send('*', hello)
    }
    const giveUp = after(answerTimeoutMs, () =>
      reject(new TrustError('LINK_TIMED_OUT', 'the other device did not answer')),
    )
    try {
      await say()
      return await promise
    } finally {
      stopAgain()
      giveUp()
      this.#joining.delete(linkId)
    }
  }

  // ── both ─────────────────────────────────────────────────────────────────────────────────────────

  /** Everything is called off. */
  close(): void {
    for (const linkId of [...this.#offers.keys()]) this.cancel(linkId)
  }

  async #ourselves(): Promise<Pick<LinkMessage, 'deviceId' | 'ed25519Key' | 'masterKey'>> {
    return this.#deps.machine.run(async (step, own) => {
      const identity = await readIdentity(step, own.userId)
      if (!identity) throw new TrustError('IDENTITY_MISSING', 'the server shows no identity of ours')
      const { masterKey } = identity
      return { deviceId: own.deviceId, ed25519Key: own.account.ed25519Key, masterKey }
    })
  }

  async #send(deviceId: string, content: JsonObject): Promise<void> {
    const { machine, http } = this.#deps
    const name = await machine.run(async (_step, own) => randomName(own))
    await http.request('PUT', `${v3}/sendToDevice/${inPath(linkMessageType)}/${inPath(name)}`, {
      body: { messages: { [machine.userId]: { [deviceId]: content } } },
    })
  }

  #fail(linkId: string, code: string): void {
    this.cancel(linkId)
    this.#tell(linkId, 'failed', code)
  }

  #tell(linkId: string, state: Extract<TrustNotice, { kind: 'device-link' }>['state'], code: string | null) {
    this.#deps.tell({ kind: 'device-link', linkId, state, code })
  }
}

function receiveAnswer({ secret, said, answered }: Joining, content: JsonObject): void {
  const answer = readLinkMessage(secret, 'first', content)
  if (answer.answers === null || !said.has(answer.answers)) {
    throw new TrustError('LINK_MALFORMED', 'an answer to something that this device did not say')
  }
  answered(answer)
}

/** What the first device said of itself and of our identity is what the server shows us: then it is true. */
async function takeIdentity(step: Step, own: OwnDevice, first: LinkMessage): Promise<void> {
  const identity = await readIdentity(step, own.userId)
  if (identity?.masterKey !== first.masterKey) {
    throw new TrustError(
      'LINK_OTHER_IDENTITY',
      'the server shows us another identity than the other device has',
    )
  }
  const device = await knownDevice(step, own.userId, first.deviceId)
  if (device?.ed25519Key !== first.ed25519Key || !isDeviceSigned(identity, device)) {
    throw new TrustError('LINK_OTHER_KEYS', 'the server lists other keys for the other device than it has')
  }
  const ours = await knownDevice(step, own.userId, own.deviceId)
  if (!ours || !isDeviceSigned(identity, ours)) {
    throw new TrustError('LINK_NOT_SIGNED', 'the signature of the other device did not arrive')
  }
  await verifyIdentity(step, own, { userId: own.userId, masterKey: first.masterKey })
  await requestMissingSecrets(step, own, [first.deviceId])
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : 'INTERNAL'
}

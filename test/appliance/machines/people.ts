/** Two people at a site in a machine: enrolled by passkey, with unmodified clients, in an encrypted room. */
import { Preset } from 'matrix-js-sdk'
import { SdkDevice } from '../../interop/sdk-client.ts'
import type { Session } from '../../support/server-process.ts'
import { Authenticator } from './authenticator.ts'
import type { Site } from './site.ts'

const passkeyLogin = 'org.letro.login.passkey'

export class People {
  readonly site: Site
  /** The administrator. */
  readonly amal: SdkDevice
  readonly jonas: SdkDevice
  amalsToken: string
  readonly roomId: string
  readonly #passkeys: readonly Authenticator[]
  /** All that was acknowledged. */
  readonly messages: { readonly eventId: string; readonly text: string }[] = []

  /** From the console's link to an encrypted room with two people in it. */
  static async meet(site: Site, link: string): Promise<People> {
    const passkeys = [new Authenticator(site.origin), new Authenticator(site.origin)] as const
    const amals = await enrol(site, link, passkeys[0])
    const amal = await new SdkDevice(site, amals).start()
    const jonasId = `@jonas:${amals.userId.slice(amals.userId.indexOf(':') + 1)}`
    const invited = { user_id: jonasId, display_name: 'Jonas Weber' }
    const invitation = await site.ask('POST', '/_letro/admin/v1/enrolment-links', invited, amals.token)
    const jonas = await new SdkDevice(site, await enrol(site, invitation.link, passkeys[1])).start()
    const { room_id: roomId } = await amal.client.createRoom({
      preset: Preset.PrivateChat,
      invite: [jonas.userId],
      initial_state: [
        { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
      ],
    })
    await jonas.client.joinRoom(roomId)
    await amal.room(roomId)
    return new People(site, [amal, jonas], passkeys, amals.token, roomId)
  }

  private constructor(
    site: Site,
    [amal, jonas]: readonly [SdkDevice, SdkDevice],
    passkeys: readonly Authenticator[],
    amalsToken: string,
    roomId: string,
  ) {
    this.site = site
    this.amal = amal
    this.jonas = jonas
    this.#passkeys = passkeys
    this.amalsToken = amalsToken
    this.roomId = roomId
  }

  /** Amal writes; Jonas reads it. */
  async say(text: string): Promise<void> {
    const eventId = await this.amal.sendText(this.roomId, text)
    this.messages.push({ eventId, text })
    const read = await this.jonas.read(this.roomId, eventId)
    if (read !== text) throw new Error(`Jonas reads "${read}" instead of "${text}"`)
  }

  /** What the server gives for every message that was acknowledged: still there, still encrypted, still readable. */
  async readAll(): Promise<string[]> {
    const texts: string[] = []
    for (const { eventId } of this.messages) {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(this.roomId)}/event/${encodeURIComponent(eventId)}`
      const event = await this.site.ask('GET', path, undefined, this.amalsToken)
      if (event.type !== 'm.room.encrypted') throw new Error(`${eventId} lies there as ${event.type}`)
      const copy = this.jonas.client.getEventMapper()(event)
      await this.jonas.client.decryptEventIfNeeded(copy)
      texts.push(copy.getContent()['body'])
    }
    return texts
  }

  /** Amal asks for what her access token alone is not enough for, and confirms it with her passkey. */
  async confirms(method: string, path: string, body: object): Promise<{ status: number; text: string }> {
    const headers = { authorization: `Bearer ${this.amalsToken}`, 'content-type': 'application/json' }
    const ask = (more: object) =>
      this.site.fetch(this.site.origin + path, {
        method,
        headers,
        body: JSON.stringify({ ...body, ...more }),
      })
    const { session, params } = JSON.parse(await (await ask({})).text())
    const assertion = this.#passkeys[0]!.sign(params[passkeyLogin].options)
    const answer = await ask({ auth: { type: passkeyLogin, session, assertion } })
    return { status: answer.status, text: await answer.text() }
  }

  /** Their clients wait. The answer signs both in again as the same devices: a restored site knows no session any more. */
  pause(): () => Promise<void> {
    const devices = [this.amal, this.jonas]
    const renewals = devices.map(device => device.hold())
    return async () => {
      const tokens = await Promise.all(
        devices.map(({ deviceId }, i) => signIn(this.site, this.#passkeys[i]!, deviceId)),
      )
      this.amalsToken = tokens[0]!
      tokens.forEach((token, i) => void renewals[i]!(token))
    }
  }

  leave(): void {
    this.amal.stop()
    this.jonas.stop()
  }
}

/** Opens an enrolment link, and makes a passkey. */
export async function enrol(site: Site, link: string, passkey: Authenticator): Promise<Session> {
  const enrolment = '/_letro/client/v1/enrolment'
  const secret = new URL(link).hash.slice(1)
  const { options } = await site.ask('POST', `${enrolment}/begin`, { secret })
  const attestation = passkey.create(options)
  const session = await site.ask('POST', `${enrolment}/complete`, { secret, attestation })
  return { userId: session.user_id, deviceId: session.device_id, token: session.access_token }
}

/** By passkey, as a device that was there before. @returns the access token */
async function signIn(site: Site, passkey: Authenticator, deviceId: string): Promise<string> {
  const { options } = await site.ask('POST', '/_letro/client/v1/passkey/challenge', {})
  const assertion = passkey.sign(options)
  const login = { type: passkeyLogin, assertion, device_id: deviceId }
  return (await site.ask('POST', '/_matrix/client/v3/login', login)).access_token
}

/** A room of two servers and a third one that is its policy server. */
import { encodeBase64 } from '../../server/protocol/base64.ts'
import { signedText } from '../../server/protocol/event-hash.ts'
import type { EventId, RoomId, ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersion } from '../../server/protocol/room-versions.ts'
import { utf8Bytes } from '../../server/protocol/utf8.ts'
import { signingKey } from '../support/primitives.ts'
import { openRoom, person, say } from './federated-room.ts'
import { type Site, World } from './two-servers.ts'

export const policyKey = signingKey(new Uint8Array(32).fill(77))
export const policyName = 'policy.test' as ServerName
export const keyId = 'ed25519:policy_server'

/** The policy server's signature under this key. */
export function recommend(event: JsonObject, version: string, key = policyKey): JsonObject {
  const text = signedText(event, roomVersion(version as RoomVersion)!)
  return { [policyName]: { [keyId]: encodeBase64(key.sign(utf8Bytes(text))) } }
}

export const refusal = (code: string, message = 'no') => Object.assign(new Error(message), { code })

export const policyContent = (key = policyKey, via: string = policyName): JsonObject => ({
  via,
  public_keys: { ed25519: encodeBase64(key.publicKey) },
})

export class PolicyWorld extends World {
  readonly version: RoomVersion
  a!: Site
  b!: Site
  p!: Site
  roomId!: RoomId

  private constructor(version: RoomVersion) {
    super()
    this.version = version
  }

  /** Ann's room, with Bob and the policy server's Pia in it. It recommends what does not say "spam". */
  static async open(
    version: RoomVersion = '12',
    content: JsonObject = policyContent(),
  ): Promise<PolicyWorld> {
    const world = new PolicyWorld(version)
    world.a = await world.add('a.test')
    world.b = await world.add('bb.test')
    world.p = await world.add(policyName)
    world.roomId = await openRoom(world.a, version)
    const { a, b, p, roomId } = world
    await b.rooms.outward.join(person('bob', b), roomId, [a.name], {})
    await p.rooms.outward.join(person('pia', p), roomId, [a.name], {})
    await world.deliver(a, [(await a.rooms.view(roomId))!.state('m.room.member', person('pia', p))!.eventId])
    world.policy.set(policyName, event => {
      if (JSON.stringify(event['content']).includes('spam'))
        throw refusal('M_FORBIDDEN', 'it looks like spam')
      return recommend(event, version)
    })
    await world.setPolicy(content)
    return world
  }

  /** By Ann, known to all. */
  async setPolicy(content: JsonObject, stateKey = ''): Promise<void> {
    const { a, roomId } = this
    const ann = person('ann', a)
    const { eventId } = await a.rooms.send({ roomId, sender: ann, type: 'm.room.policy', stateKey, content })
    await this.deliver(a, [eventId])
  }

  say(site: Site, name: string, body: string) {
    return site.rooms.send({ roomId: this.roomId, ...say(site, name, body) })
  }

  /** As its server sends it. */
  async pdu(site: Site, eventId: EventId): Promise<JsonObject> {
    return JSON.parse(JSON.stringify(await site.rooms.signed(eventId)))
  }

  /** As a server sends it that does not know of policy servers. */
  async unsigned(site: Site, eventId: EventId): Promise<JsonObject> {
    const pdu = await this.pdu(site, eventId)
    const { [policyName]: theirs, ...others } = pdu['signatures'] as JsonObject
    const { [keyId]: _, ...rest } = theirs as JsonObject
    return { ...pdu, signatures: Object.keys(rest).length > 0 ? { ...others, [policyName]: rest } : others }
  }

  /** How often the policy server was asked. */
  get asked(): number {
    return this.requests.filter(request => request.endsWith('policy_sign')).length
  }

  async bodies(site: Site): Promise<unknown[]> {
    const events = await site.rooms.timeline(this.roomId, { limit: 500 })
    return events.flatMap(({ type, content }) => (type === 'm.room.message' ? [content['body']] : []))
  }
}

/**
 * A device of a person of the demonstration that is always on: the app's own worker, in Node, with its vault in memory.
 *
 * It writes the history, and stays: what is sent to its person while no browser of theirs is open has somebody to be
 * encrypted for, and its key backup hands it on.
 */
import './browser-parts.ts'
import { Owner } from '../../pwa/worker/owner.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type DemoServer, userIdOf } from './demo-server.ts'
import type { Name, Person } from './organisation.ts'

export class DemoDevice {
  readonly userId: string
  readonly calls: Owner['calls']

  private constructor(userId: string) {
    this.userId = userId
    this.calls = new Owner(userId, () => {}).calls
  }

  /** The device that is always on: sets up the person's identity, and leaves its recovery key with the server. */
  static async begin(server: DemoServer, { localpart, device }: Person): Promise<DemoDevice> {
    const own = await DemoDevice.signIn(server, localpart, device)
    const { recoveryKey } = await own.calls.setUpIdentity({ prf: null, auth: null })
    server.keepRecoveryKey(own.userId, recoveryKey)
    return own
  }

  static async signIn(server: DemoServer, name: Name, device: string): Promise<DemoDevice> {
    const userId = userIdOf(name)
    const { login_token: token } = await post(server, '/_letro/demo/v1/sign-in', { user_id: userId })
    const session = await post(server, '/_matrix/client/v3/login', {
      type: 'm.login.token',
      token,
      initial_device_display_name: device,
    })
    const own = new DemoDevice(userId)
    await own.calls.openInMemory(null)
    await own.calls.begin({
      origin: server.origin,
      deviceId: session['device_id'] as string,
      accessToken: session['access_token'] as string,
      refreshToken: null,
      expiresInMs: null,
    })
    await own.until('its first sync', async () => (await own.calls.connection(null)).firstSyncDone)
    return own
  }

  /** Joins as soon as the invitation is here. */
  async join(roomId: string): Promise<void> {
    await this.until('an invitation', async () => (await this.#entry(roomId))?.membership === 'invite')
    await this.calls.join({ room: roomId })
    await this.until('the room', async () => (await this.#entry(roomId))?.membership === 'join')
  }

  /** Until this device knows that they are there: from then on it encrypts for them. */
  async seesMembers(roomId: string, userIds: readonly string[]): Promise<void> {
    await this.until('the members', async () => {
      const joined = (await this.calls.members(roomId)).filter(({ membership }) => membership === 'join')
      return userIds.every(userId => joined.some(member => member.userId === userId))
    })
  }

  /** A line of a room's timeline: its event's id, once the server has it. */
  async write(roomId: string, content: JsonObject, threadRoot?: string): Promise<string> {
    const txnId = await this.calls.send({ roomId, type: 'm.room.message', content })
    return this.sent(roomId, txnId, threadRoot)
  }

  async sent(roomId: string, txnId: string, threadRoot?: string): Promise<string> {
    return this.until('the server to take a message', async () => {
      const { items } = await this.calls.timeline({
        roomId,
        at: 'end',
        before: 30,
        after: 0,
        ...(threadRoot === undefined ? {} : { threadRoot }),
      })
      const item = items.find(item => item.key === txnId)
      if (item?.problem)
        throw new Error(`a message does not leave: ${item.problem.code} ${item.problem.message}`)
      return item?.eventId
    })
  }

  /** What changes or marks another line. */
  async add(roomId: string, type: string, content: JsonObject): Promise<void> {
    await this.calls.send({ roomId, type, content })
    await this.until('everything to leave', async () => (await this.calls.waiting(null)) === 0)
  }

  /** Until every key that it has is in the backup: from then on another device of its person can read it all. */
  async backUp(): Promise<void> {
    await this.until('the key backup', async () => {
      const { backup } = await this.calls.identity(null)
      return backup?.waiting === 0
    })
  }

  async until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
    for (let i = 0; i < 1_500; i++) {
      const found = await look()
      if (found) return found
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    throw new Error(`${this.userId} waited in vain for ${what}`)
  }

  async #entry(roomId: string) {
    return (await this.calls.rooms(null)).find(entry => entry.roomId === roomId)
  }
}

async function post(server: DemoServer, path: string, body: JsonObject): Promise<JsonObject> {
  const answer = await fetch(server.origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const json = (await answer.json()) as JsonObject
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(json)}`)
  return json
}

/** A clinic with administrators, people, rooms and a neighbour: what the administration view is tried on. */
import { type Answer, call } from '../support/client.ts'
import type { Session } from '../support/server-process.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, adminToken } from './app.ts'

export const api = '/_letro/admin/v1'
const client = '/_matrix/client/v3'
const password = 'correct horse battery staple'

export const inPath = encodeURIComponent
export const idOf = (name: string) => `@${name}:localhost`

export class Clinic {
  readonly world: AppWorld

  private constructor(world: AppWorld) {
    this.world = world
  }

  static async open(settings: Record<string, string> = {}): Promise<Clinic> {
    const open = { 'accounts.registration': 'open', 'accounts.passwords': 'true' }
    return new Clinic(await AppWorld.open({ ...open, ...settings }))
  }

  close(): Promise<void> {
    return this.world.close()
  }

  /** The administration API by its token. */
  ask(method: string, path: string, body?: object): Promise<Answer> {
    return call(this.world.server.base, method, `${api}${path}`, {
      token: adminToken,
      ...(body && { body }),
    })
  }

  /** Somebody at a browser, who administers. */
  async administrator(name: string, displayName: string): Promise<Visitor> {
    return this.world.enrolled(name, displayName, { kind: 'administrator' })
  }

  /** Somebody without a browser. */
  async member(name: string, displayName: string): Promise<Session> {
    const session = await this.world.server.register(name, password)
    const profile = `/profile/${inPath(session.userId)}/displayname`
    await this.as(session, 'PUT', profile, { displayname: displayName })
    return session
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async as({ token }: Session, method: string, path: string, body: object = {}): Promise<any> {
    const answer = await call(this.world.server.base, method, client + path, { token, body })
    if (answer.status === 200) return answer.body
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  /** A room of these people, the first of whom rules it. */
  async room(name: string, [ruler, ...others]: readonly Session[], more: object = {}): Promise<string> {
    const invite = others.map(({ userId }) => userId)
    const { room_id: roomId } = await this.as(ruler!, 'POST', '/createRoom', { name, invite, ...more })
    for (const other of others) await this.as(other, 'POST', `/join/${inPath(roomId)}`)
    return roomId
  }
}

/** In the administration, at this page. */
export async function goTo({ page }: Pick<Visitor, 'page'>, place: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/admin/${place}`)}`)
  await page.locator('#admin-heading').waitFor()
}

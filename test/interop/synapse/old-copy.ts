/**
 * A restored old backup: our server is stopped, its data folder is copied, and later it runs again on the old copy, while
 * Synapse and the people's devices remember more.
 *
 * The copy is the bare folder, as `cp -r` makes it: nothing in it knows that it is old. Whoever restores in order
 * (`letro restore`) puts that step between `putBack` and the next start.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventType, Preset } from 'matrix-js-sdk'
import { SdkDevice, until } from '../sdk-client.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

export const password = 'correct horse battery staple'

/** Our server with a past: points in it to which its data can go back. */
export class OldCopies {
  readonly #world: World
  readonly #folder = mkdtempSync(join(tmpdir(), 'letro-copies-'))

  constructor(world: World) {
    this.#world = world
  }

  get dataFolder(): string {
    return join(this.#world.letro.process.folder, 'data')
  }

  folderOf(name: string): string {
    return join(this.#folder, name)
  }

  /** Stops the server in order, copies its data, starts it again. */
  async take(name: string): Promise<void> {
    const { process } = this.#world.letro
    await process.stop()
    cpSync(this.dataFolder, this.folderOf(name), { recursive: true, preserveTimestamps: true })
    await process.start()
  }

  /** Its data is what it was then, and it is stopped. What it has become meanwhile is gone. */
  async putBack(name: string): Promise<void> {
    await this.#world.letro.process.kill()
    rmSync(this.dataFolder, { recursive: true })
    cpSync(this.folderOf(name), this.dataFolder, { recursive: true, preserveTimestamps: true })
  }

  /** From now on it runs on the old copy. `restore`: what an administrator does in between. */
  async goBack(name: string, restore?: (dataFolder: string) => Promise<void>): Promise<void> {
    await this.putBack(name)
    await restore?.(this.dataFolder)
    await this.#world.letro.process.start()
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Our server and Synapse with a plain and an encrypted room across them, and a device with real encryption on either side. */
export interface OldCopyRig {
  readonly world: World
  readonly copies: OldCopies
  /** By plain requests. */
  readonly ours: Person
  readonly theirs: Person
  readonly plainRoom: string
  /** By matrix-js-sdk: Amal's at ours, Jonas's at Synapse. Other accounts than `ours` and `theirs`. */
  readonly ourDevice: SdkDevice
  readonly theirDevice: SdkDevice
  readonly encryptedRoom: string
  /** One more device of one of these two, started. */
  deviceAtLetro(name: 'amal'): Promise<SdkDevice>
  deviceAtSynapse(name: 'jonas'): Promise<SdkDevice>
  close(): Promise<void>
}

/** `settings`: of ours, named as in `letro.toml`. */
export async function openOldCopyRig(settings: Readonly<Record<string, string>> = {}): Promise<OldCopyRig> {
  const world = await World.open(settings)
  const copies = new OldCopies(world)
  const ours = await world.atLetro('nour')
  const theirs = await world.atSynapse('petra')
  const plainRoom = await ours.createRoom({
    preset: 'private_chat',
    invite: [theirs.userId],
    power_level_content_override: { state_default: 0 },
  })
  await theirs.isInvited(plainRoom)
  await theirs.join(plainRoom)
  await ours.isMember(plainRoom, theirs.userId, 'join')

  const { process } = world.letro
  const ourDevice = await new SdkDevice(process, await process.register('amal', password)).start()
  const theirDevice = await new SdkDevice(
    world.synapse,
    await world.synapse.register('jonas', password),
  ).start()
  const encryption = { algorithm: 'm.megolm.v1.aes-sha2' }
  const { room_id: encryptedRoom } = await ourDevice.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [theirDevice.userId],
    initial_state: [{ type: EventType.RoomEncryption, state_key: '', content: encryption }],
  })
  const membership = () => theirDevice.client.getRoom(encryptedRoom)?.getMyMembership()
  await until(() => membership() === 'invite', 'the invite')
  await theirDevice.client.joinRoom(encryptedRoom)
  await theirDevice.room(encryptedRoom)
  const joined = () => ourDevice.client.getRoom(encryptedRoom)?.getJoinedMembers().length
  await until(() => joined() === 2, 'both are in')

  return {
    world,
    copies,
    ours,
    theirs,
    plainRoom,
    ourDevice,
    theirDevice,
    encryptedRoom,
    deviceAtLetro: async name => new SdkDevice(process, await process.login(name, password)).start(),
    deviceAtSynapse: async name =>
      new SdkDevice(world.synapse, await world.synapse.login(name, password)).start(),
    async close() {
      for (const device of [ourDevice, theirDevice]) device.stop()
      copies.remove()
      await world.close()
    },
  }
}

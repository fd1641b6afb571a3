/**
 * To-device messages: one inbox for each device, from which a message goes when the device has shown that it has it.
 *
 * A request and its messages are one batch: the transaction id is remembered with them, so that a repeated request
 * delivers nothing twice, after a crash as well. Most devices have nothing waiting most of the time: that is
 * remembered, so that a sync without messages asks the store nothing.
 *
 * Spec: client-server-api#send-to-device-messaging
 */
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import { serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { inboxTable, type ToDeviceRow, toDeviceTransactionTable } from '../store/catalogue.ts'
import type { Position, RowWriter, Store, Topic, Transaction } from '../store/store.ts'
import { deviceTopic } from './device-lists.ts'
import { KeysError } from './keys-error.ts'
import type { DeviceDirectory, KeysFederation } from './ports.ts'
import { toDeviceEdus } from './to-device-edus.ts'
import { TopicMemory } from './topic-memory.ts'

/** As large as an event may be. */
const maxMessageBytes = 65_536
/** A key share to every device of the largest rooms comes in portions of 250 or less. */
const maxMessages = 5_000
/** Of all copies of one request: a message to `*` is written once for each device. */
const maxDeliveredBytes = 32 * 1024 * 1024
const weekMs = 7 * 24 * 3_600_000
/** A client that comes back with the same transaction id after more than two weeks is taken to mean a new request. */
const weeksRemembered = 3

export interface ToDeviceRequest {
  readonly sender: UserId
  readonly senderDevice: DeviceId
  readonly txnId: string
  readonly type: string
  readonly messages: readonly ToDeviceMessage[]
}

export interface ToDeviceMessage {
  readonly userId: UserId
  /** `*`: every device of the user. */
  readonly deviceId: DeviceId | '*'
  readonly content: JsonObject
}

export interface ToDevicePage {
  readonly events: readonly ToDeviceRow[]
  /** The device has everything up to here once it has these: `upTo`, or less where there were more than the limit. */
  readonly upTo: Position
}

/** Where the oldest waiting message stands; null: nothing waits. */
interface InboxState {
  readonly oldest: Position | null
}

export class ToDevice {
  readonly #store: Store
  readonly #devices: DeviceDirectory
  readonly #serverName: ServerName
  readonly #clock: () => number
  readonly #federation: KeysFederation | undefined
  readonly #inboxes = new TopicMemory<InboxState>()
  #sweptWeek = 0

  constructor(
    store: Store,
    devices: DeviceDirectory,
    serverName: ServerName,
    clock: () => number,
    federation?: KeysFederation,
  ) {
    this.#store = store
    this.#devices = devices
    this.#serverName = serverName
    this.#clock = clock
    this.#federation = federation
  }

  noteDurable(topic: Topic): void {
    this.#inboxes.forget(topic)
  }

  reset(): void {
    this.#inboxes.forgetAll()
  }

  /**
   * Resolves when the messages are durable, and those for other servers queued. Messages for devices that do not exist,
   * and for servers that we may not send to, are dropped.
   */
  async send(request: ToDeviceRequest): Promise<void> {
    const { sender, senderDevice, txnId, type } = request
    checkSize(request.messages)
    const isLocal = ({ userId }: ToDeviceMessage) => serverOf(userId) === this.#serverName
    await this.#once(sender, senderDevice, txnId, request.messages.filter(isLocal), type, (next, rows) => {
      if (!this.#federation) return
      const remote = request.messages.filter(message => !isLocal(message))
      for (const { server, edu } of toDeviceEdus(sender, type, remote, () => String(next()))) {
        this.#federation.outbound.put(rows, server, { kind: 'to-device', edu })
      }
    })
  }

  /**
   * Messages that another server brought; a message id counts once for each sender. The caller has checked that the
   * sender is of that server. Throws KeysError for what is too large.
   */
  async receive(
    sender: UserId,
    messageId: string,
    type: string,
    messages: readonly ToDeviceMessage[],
  ): Promise<void> {
    checkSize(messages)
    const ours = messages.filter(({ userId }) => serverOf(userId) === this.#serverName)
    await this.#once(sender, null, messageId, ours, type)
  }

  /** @param senderDevice null: of another server, which does not say. */
  async #once(
    sender: UserId,
    senderDevice: DeviceId | null,
    id: string,
    messages: readonly ToDeviceMessage[],
    type: string,
    also?: (next: () => Position, rows: RowWriter) => void,
  ): Promise<void> {
    const week = Math.floor(this.#clock() / weekMs)
    const seen = Array.from({ length: Math.min(weeksRemembered, week + 1) }, (_, ago) =>
      toDeviceTransactionTable.key(week - ago, sender, senderDevice ?? '', id),
    )
    const recipients = new Set(messages.map(({ userId }) => userId))
    // Owning the recipients: a device that is being removed gets its last message before its inbox goes, or none.
    const owners = [`to-device ${sender}/${senderDevice ?? ''}`, ...recipients]
    await this.#store.transact(owners, async tx => {
      // Where it was seen nothing is written, and the answer waits until the first request's rows are durable.
      if ((await tx.getMany(seen)).some(Boolean)) return
      tx.put(seen[0]!, 1)
      await this.#deliver(tx, sender, type, messages, recipients)
      if (also) tx.sequence(also)
    })
    if (week > this.#sweptWeek) await this.sweep()
  }

  async #deliver(
    tx: Transaction,
    sender: UserId,
    type: string,
    messages: readonly ToDeviceMessage[],
    recipients: ReadonlySet<UserId>,
  ): Promise<void> {
    const users = [...recipients]
    const found = await Promise.all(users.map(userId => this.#devices.devicesOf(tx, userId)))
    const devices = new Map(users.map((userId, i) => [userId, found[i]]))
    let bytes = 0
    for (const { userId, deviceId, content } of messages) {
      if (deviceId === '*') bytes += (devices.get(userId)?.size ?? 0) * JSON.stringify(content).length
    }
    if (bytes > maxDeliveredBytes) {
      throw new KeysError(
        'M_TOO_LARGE',
        `messages would be larger than ${maxDeliveredBytes} bytes in all their copies.`,
      )
    }
    tx.sequence((next, rows) => {
      for (const { userId, deviceId, content } of messages) {
        const known = devices.get(userId)
        if (!known) continue
        for (const recipient of deviceId === '*' ? known.keys() : known.has(deviceId) ? [deviceId] : []) {
          rows.put(inboxTable.key(userId, recipient, next()), { type, sender, content })
          rows.announce(deviceTopic(userId, recipient))
        }
      }
    })
  }

  /** The oldest messages above `after` and up to `upTo`. */
  async page(
    userId: UserId,
    deviceId: DeviceId,
    after: Position,
    upTo: Position,
    limit: number,
  ): Promise<ToDevicePage> {
    const { oldest } = await this.#state(userId, deviceId)
    if (oldest === null || oldest > upTo) return { events: [], upTo }
    const rows = await this.#store.read(view =>
      view.range(inboxTable.under(userId, deviceId), {
        after: inboxTable.key(userId, deviceId, after),
        before: inboxTable.key(userId, deviceId, (upTo + 1) as Position),
        limit: limit + 1,
      }),
    )
    const page = rows.slice(0, limit)
    return {
      events: page.map(({ value }) => value),
      upTo: rows.length > limit ? (page.at(-1)!.parts[2] as Position) : upTo,
    }
  }

  /** The device has everything up to here. */
  async acknowledge(userId: UserId, deviceId: DeviceId, upTo: Position): Promise<void> {
    const { oldest } = await this.#state(userId, deviceId)
    if (oldest === null || oldest > upTo) return
    const topic = deviceTopic(userId, deviceId)
    await this.#store.transact(`inbox ${userId}/${deviceId}`, async tx => {
      const rows = await tx.range(inboxTable.under(userId, deviceId), {
        before: inboxTable.key(userId, deviceId, (upTo + 1) as Position),
      })
      for (const { key } of rows) tx.delete(key)
    })
    // Not announced: nobody has to look again. What is remembered of the inbox is too old, though.
    this.#inboxes.forget(topic)
  }

  async #state(userId: UserId, deviceId: DeviceId): Promise<InboxState> {
    return await this.#inboxes.recall(deviceTopic(userId, deviceId), async () => {
      const [first] = await this.#store.read(view =>
        view.range(inboxTable.under(userId, deviceId), { limit: 1 }),
      )
      return { oldest: first ? (first.parts[2] as Position) : null }
    })
  }

  /** Drops the transaction ids of weeks that no longer count. */
  async sweep(): Promise<void> {
    const week = Math.floor(this.#clock() / weekMs)
    this.#sweptWeek = week
    for (;;) {
      const rows = await this.#store.read(view =>
        view.range(toDeviceTransactionTable.under(), {
          before: toDeviceTransactionTable.under(Math.max(0, week - weeksRemembered + 1)).from,
          limit: 2_000,
        }),
      )
      if (rows.length === 0) return
      await this.#store.transact('to-device sweep', tx => {
        for (const { key } of rows) tx.delete(key)
      })
    }
  }
}

function checkSize(messages: readonly ToDeviceMessage[]): void {
  if (messages.length > maxMessages) {
    throw new KeysError('M_TOO_LARGE', `messages has more than ${maxMessages} messages.`)
  }
  for (const { userId, deviceId, content } of messages) {
    if (JSON.stringify(content).length <= maxMessageBytes) continue
    throw new KeysError(
      'M_TOO_LARGE',
      `messages.${userId}.${deviceId} is larger than ${maxMessageBytes} bytes.`,
    )
  }
}

/** The device goes, and with it what waits for it. */
export async function removeInbox(tx: Transaction, userId: UserId, deviceId: DeviceId): Promise<void> {
  for (const { key } of await tx.range(inboxTable.under(userId, deviceId))) tx.delete(key)
}

/** The verifications that go on, and what this tab has to do with them. */
import { computed, signal } from '@preact/signals'
import type { Verification } from '../../e2ee/verification/flow.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { call, onNotice, rooms } from '../account.ts'
import { serverOfUser } from './organisations.ts'
import { askedKey, isOver, noPart, type Part, shownFlow } from './verification-flow.ts'

const flows = signal<readonly Verification[]>([])
const part = signal<Part>(noPart)

/** The one to show; null: none. */
export const shown = computed(() => shownFlow(flows.value, part.value))

/** Follows what the worker says of verifications; returns how to stop. */
export function followVerifications(): () => void {
  const read = async () => {
    flows.value = await call('verifications', null)
  }
  void read().catch(() => {})
  return onNotice(notice => {
    // The list, not the one flow: a request gets another name when its room takes it.
    if (notice.kind === 'verification' || notice.kind === 'state') void read().catch(() => {})
  })
}

/** Asks a person, in the chat with them, or our own other devices. */
export async function askToVerify(whom: {
  userId: string
  deviceId?: string
  roomId?: string
}): Promise<void> {
  const key = askedKey({ userId: whom.userId, roomId: whom.roomId ?? null })
  part.value = { ...part.peek(), asked: new Set([...part.peek().asked, key]) }
  await call('requestVerification', whom)
}

export async function accept({ flowId }: Verification): Promise<void> {
  part.value = { ...part.peek(), accepted: new Set([...part.peek().accepted, flowId]) }
  await call('acceptVerification', flowId)
}

/** Our own devices were asked, and what that led to is said elsewhere. */
export function forgetOwnRequest(userId: string): void {
  const { asked, ...rest } = part.peek()
  part.value = { ...rest, asked: asked.difference(new Set([askedKey({ userId, roomId: null })])) }
}

/** It is over, or this tab has seen enough of it. */
export function close(flow: Verification): void {
  const { asked, closed, ...rest } = part.peek()
  // A request of ours that was left may get another name yet: how it ends is no news to whoever ended it.
  const isLeft = flow.requestedByUs && !isOver(flow)
  part.value = {
    ...rest,
    asked: isLeft ? asked.difference(new Set([askedKey(flow)])) : asked,
    closed: new Set([...closed, flow.flowId]),
  }
}

/**
 * Where a person is asked: where they read already, or a new conversation, which they have to accept first. Of the rooms that
 * both are in the smallest: the others there see that keys are compared.
 */
export async function roomToVerifyIn(userId: string): Promise<string> {
  const open = [...(rooms.peek()?.values() ?? [])].filter(
    entry =>
      entry.membership === 'join' &&
      entry.encrypted &&
      !entry.isSpace &&
      !entry.frozen &&
      !entry.replacedBy &&
      entry.joinedCount > 1,
  )
  const isAlone = ({ directWith }: RoomEntry) => directWith.length === 1 && directWith[0] === userId
  const order = (entry: RoomEntry) => (isAlone(entry) ? 0 : entry.joinedCount)
  const servers = ({ servers: all }: RoomEntry) => all.includes(serverOfUser(userId))
  for (const { roomId } of open.filter(servers).sort((a, b) => order(a) - order(b))) {
    const members = await call('members', roomId)
    if (members.some(each => each.userId === userId && each.membership === 'join')) return roomId
  }
  return chatWith(userId)
}

/** The encrypted chat with one person alone, or a new one. */
export async function chatWith(userId: string): Promise<string> {
  for (const entry of rooms.peek()?.values() ?? []) {
    const alone = entry.directWith.length === 1 && entry.directWith[0] === userId
    if (alone && entry.membership === 'join' && entry.encrypted && !entry.replacedBy) return entry.roomId
  }
  return call('createRoom', { invite: [userId], isDirect: true, encrypted: true, joinRule: 'invite' })
}

/** Spec: server-server-api#checks-performed-on-receipt-of-a-pdu (4–6) */
import test from 'ava'
import { authorise } from '../../server/rooms/event-auth.ts'
import { stateKeyOf } from '../../server/rooms/graph-event.ts'
import { judgeOnReceipt } from '../../server/rooms/receipt.ts'
import { accept, type Verdict } from '../../server/rooms/verdict.ts'
import { verify } from '../support/primitives.ts'
import { alice, bob, TestRoom } from '../support/test-room.ts'

const no = (rule: string): Verdict => ({ kind: 'reject', rule })
const unasked = (): Verdict => {
  throw new Error('this check is not reached')
}

test('what passes all three is accepted', t => {
  const yes = () => accept
  t.deepEqual(judgeOnReceipt({ byAuthEvents: yes, byStateBefore: yes, byCurrentState: yes }), accept)
})

test('what its own auth events do not allow is rejected without looking further', t => {
  const verdict = judgeOnReceipt({
    byAuthEvents: () => no('a'),
    byStateBefore: unasked,
    byCurrentState: unasked,
  })
  t.deepEqual(verdict, { kind: 'reject', rule: 'a' })
})

test('what the state before it does not allow is rejected', t => {
  const verdict = judgeOnReceipt({
    byAuthEvents: () => accept,
    byStateBefore: () => no('b'),
    byCurrentState: unasked,
  })
  t.deepEqual(verdict, { kind: 'reject', rule: 'b' })
})

test('what only the current state does not allow fails softly, by the same rule', t => {
  const verdict = judgeOnReceipt({
    byAuthEvents: () => accept,
    byStateBefore: () => accept,
    byCurrentState: () => no('c'),
  })
  t.deepEqual(verdict, { kind: 'soft-fail', rule: 'c' })
})

test('a message from before a ban, sent after it, fails softly (server-server-api#soft-failure)', t => {
  const room = TestRoom.open('12', { joinRule: 'public' })
  room.member(bob, 'join')
  const before = new Map(room.state)
  const evasion = room.draft({ type: 'm.room.message', sender: bob })
  room.member(bob, 'ban', alice)
  const on = (state: ReadonlyMap<string, typeof room.latest>) => () =>
    authorise(
      evasion,
      room.rules,
      (type, key) => {
        const id = state.get(stateKeyOf(type, key))
        return id && room.events.get(id)
      },
      verify,
    )
  const verdict = judgeOnReceipt({
    byAuthEvents: on(before),
    byStateBefore: on(before),
    byCurrentState: on(room.state),
  })
  t.is(verdict.kind, 'soft-fail')
})

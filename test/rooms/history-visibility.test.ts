/** Spec: client-server-api#room-history-visibility */
import test from 'ava'
import { maySee, type VisibilityQuestion } from '../../server/rooms/history-visibility.ts'

const bob = '@bob:one'
const message = { type: 'm.room.message', content: {} }
const question = (change: Partial<VisibilityQuestion>): VisibilityQuestion => ({
  userId: bob,
  event: message,
  visibilityBefore: undefined,
  membershipBefore: undefined,
  joinedAfterwards: false,
  ...change,
})
const set = (visibility: unknown) => ({ history_visibility: visibility as string })

// Who may see a message: by setting, by membership at the event, not joining or joining afterwards.
const table: [
  visibility: string,
  membership: string | undefined,
  otherwise: boolean,
  ifJoinedAfterwards: boolean,
][] = [
  ['world_readable', undefined, true, true],
  ['world_readable', 'ban', true, true],
  ['shared', undefined, false, true],
  ['shared', 'leave', false, true],
  ['shared', 'ban', false, true],
  ['shared', 'invite', false, true],
  ['shared', 'knock', false, true],
  ['shared', 'join', true, true],
  ['invited', undefined, false, false],
  ['invited', 'leave', false, false],
  ['invited', 'knock', false, false],
  ['invited', 'invite', true, true],
  ['invited', 'join', true, true],
  ['joined', undefined, false, false],
  ['joined', 'invite', false, false],
  ['joined', 'leave', false, false],
  ['joined', 'join', true, true],
]
for (const [visibility, membership, otherwise, ifJoined] of table) {
  test(`under ${visibility}, membership ${membership}: ${otherwise ? 'visible' : 'hidden'}, and ${ifJoined ? 'visible' : 'hidden'} to who joins afterwards`, t => {
    const asked = { visibilityBefore: set(visibility), membershipBefore: membership }
    t.is(maySee(question(asked)), otherwise)
    t.is(maySee(question({ ...asked, joinedAfterwards: true })), ifJoined)
  })
}

test('where nothing is set, or nothing that is understood, history is shared', t => {
  for (const visibilityBefore of [undefined, {}, set('org.example.secret'), set(5), set(null)]) {
    t.false(maySee(question({ visibilityBefore })))
    t.true(maySee(question({ visibilityBefore, joinedAfterwards: true })))
  }
})

test('a change of the setting is visible to who may see before it or after it', t => {
  const change = (before: string, after: string, stateKey = '') =>
    maySee(
      question({
        visibilityBefore: set(before),
        event: { type: 'm.room.history_visibility', stateKey, content: set(after) },
      }),
    )
  t.true(change('world_readable', 'joined'))
  t.true(change('joined', 'world_readable'))
  t.false(change('joined', 'invited'))
  t.false(change('joined', 'world_readable', 'other'), 'a setting under another state key sets nothing')
})

test("one's own membership is visible by what it was before or after, another's is not", t => {
  const change = (before: string | undefined, after: string, visibility: string, user = bob) =>
    maySee(
      question({
        visibilityBefore: set(visibility),
        membershipBefore: before,
        event: { type: 'm.room.member', stateKey: user, content: { membership: after } },
      }),
    )
  t.true(change(undefined, 'join', 'joined'))
  t.true(change('join', 'leave', 'joined'))
  t.true(change('join', 'ban', 'joined'))
  t.true(change(undefined, 'invite', 'invited'))
  t.false(change(undefined, 'invite', 'joined'))
  t.false(change('invite', 'leave', 'joined'))
  t.false(change(undefined, 'join', 'joined', '@carol:two'))
})

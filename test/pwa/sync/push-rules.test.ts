/** What deserves a notification, as the account's rules say. */
import test from 'ava'
import { judge } from '../../../pwa/sync/push-rules.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'

test('push rules are judged in their order; what is malformed is passed over', t => {
  const view = {
    ourUserId: '@us:a',
    ourName: 'A.B',
    joinedCount: 2,
    power: () => 0,
    roomNotificationPower: 50,
  }
  const event = (body: string, sender = '@them:a') => ({
    type: 'm.room.message',
    sender,
    roomId: '!r',
    stateKey: null,
    content: { body },
  })
  const rules = (kind: string, ...list: unknown[]) => ({ global: { [kind]: list } }) as JsonObject
  const loud = ['notify', { set_tweak: 'highlight' }]
  const name = { conditions: [{ kind: 'contains_display_name' }], actions: loud }
  t.true(judge(rules('override', 5, null, { conditions: 7 }, name), event('hello a.b!'), view).highlight)
  t.false(judge(rules('override', name), event('hello axb'), view).highlight)
  t.false(judge(rules('override', name), event('A.B', '@us:a'), view).notify)
  const room = { conditions: [{ kind: 'sender_notification_permission', key: 'room' }], actions: loud }
  t.false(judge(rules('override', room), event('@room'), view).notify)
  const count = { conditions: [{ kind: 'room_member_count', is: '2' }], actions: ['notify'] }
  t.true(judge(rules('underride', count), event('x'), view).notify)
  const word = { pattern: 'cake*', actions: ['notify'] }
  t.true(judge(rules('content', word), event('the cakes are here'), view).notify)
  t.false(judge(rules('content', word), event('pancake'), view).notify)
  t.false(judge(rules('override', { ...name, enabled: false }), event('A.B'), view).notify)
  const unknown = { conditions: [{ kind: 'of tomorrow' }], actions: ['notify'] }
  t.false(judge(rules('override', unknown), event('x'), view).notify)
})

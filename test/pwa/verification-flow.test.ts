import test from 'ava'
import type { Verification } from '../../pwa/e2ee/verification/flow.ts'
import { emojiNames, emojiPictures } from '../../pwa/views/trust/sas-emoji.ts'
import {
  askedKey,
  endingOf,
  noPart,
  type Part,
  screenOf,
  shownFlow,
  waysOf,
} from '../../pwa/views/trust/verification-flow.ts'

const flow = (change: Partial<Verification> = {}): Verification => ({
  flowId: 'one',
  userId: '@amal:clinic.example',
  deviceId: 'ABC',
  roomId: '!room',
  requestedByUs: false,
  phase: 'requested',
  methods: ['m.sas.v1', 'm.qr_code.show.v1', 'm.qr_code.scan.v1'],
  sas: null,
  cancelCode: null,
  ...change,
})
const part = (change: Partial<Part>): Part => ({ ...noPart, ...change })

test('a request of somebody else is shown in every tab, and put away for good', t => {
  t.is(shownFlow([flow()], noPart)?.flowId, 'one')
  t.is(shownFlow([flow()], part({ closed: new Set(['one']) })), null)
})

test('what goes on in another tab is not shown here', t => {
  t.is(shownFlow([flow({ phase: 'comparing' })], noPart), null)
  t.is(shownFlow([flow({ phase: 'comparing' })], part({ accepted: new Set(['one']) }))?.flowId, 'one')
  t.is(shownFlow([flow({ requestedByUs: true })], noPart), null)
})

test('a request of ours stays in sight when the room gives it another name', t => {
  const asked = part({ asked: new Set([askedKey(flow())]) })
  t.is(shownFlow([flow({ requestedByUs: true })], asked)?.flowId, 'one')
  t.is(shownFlow([flow({ requestedByUs: true, flowId: '$event', phase: 'ready' })], asked)?.flowId, '$event')
})

test('what goes on comes before a new request, and what has ended comes last', t => {
  const asked = part({ asked: new Set([askedKey(flow())]) })
  const ours = flow({ flowId: 'ours', requestedByUs: true, phase: 'comparing' })
  const theirs = flow({ flowId: 'theirs', userId: '@jonas:court.example' })
  const ended = flow({ flowId: 'ended', requestedByUs: true, phase: 'done' })
  t.is(shownFlow([ended, theirs, ours], asked)?.flowId, 'ours')
  t.is(shownFlow([ended, theirs], asked)?.flowId, 'theirs')
  t.is(shownFlow([ended], asked)?.flowId, 'ended')
})

test('of two that ended, or two that are asked for, the newest is shown', t => {
  const asked = part({ asked: new Set([askedKey(flow())]) })
  const older = flow({ flowId: 'older', requestedByUs: true, phase: 'cancelled' })
  const newer = flow({ flowId: 'newer', requestedByUs: true, phase: 'done' })
  t.is(shownFlow([older, newer], asked)?.flowId, 'newer')
  t.is(shownFlow([flow({ flowId: 'first' }), flow({ flowId: 'second' })], noPart)?.flowId, 'second')
})

test('each phase has its screen', t => {
  t.is(screenOf(flow()), 'asked')
  t.is(screenOf(flow({ requestedByUs: true })), 'asking')
  t.is(screenOf(flow({ phase: 'ready' })), 'codes')
  t.is(screenOf(flow({ phase: 'scanned' })), 'scanned')
  t.is(
    screenOf(flow({ phase: 'waiting' })),
    'fits',
    'the other end’s person is asked whether we say that it worked',
  )
  t.is(screenOf(flow({ phase: 'waiting', sas: { emoji: [], decimals: [1, 2, 3] } })), 'waiting')
})

test('nothing is offered that one of the two cannot do', t => {
  t.deepEqual(waysOf(flow(), true), { show: true, scan: true, compare: true })
  t.deepEqual(waysOf(flow(), false), { show: true, scan: false, compare: true })
  t.deepEqual(waysOf(flow({ methods: ['m.sas.v1'] }), true), { show: false, scan: false, compare: true })
})

test('an end has words by its code; an unknown code is a failure', t => {
  t.is(endingOf(flow({ cancelCode: 'm.mismatched_sas' })), 'mismatch')
  t.is(endingOf(flow({ cancelCode: 'm.user' })), 'declined')
  t.is(endingOf(flow({ cancelCode: 'org.example.else' })), 'failed')
  t.is(endingOf(flow()), 'failed')
})

test('every picture has a name in each language, no two the same', async t => {
  t.is(new Set(emojiPictures).size, 64)
  for (const language of ['en', 'ar', 'de', 'fr'] as const) {
    const names = await emojiNames(language)
    t.is(new Set(names).size, 64, language)
  }
  // Spec: client-server-api#sas-method-emoji: the first, one in the middle, the last.
  t.deepEqual([emojiPictures[0], emojiPictures[31], emojiPictures[63]], ['🐶', '🤖', '📌'])
  t.is((await emojiNames('de'))[49], 'Telefon')
})

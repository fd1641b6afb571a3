import test from 'ava'
import { pushNotice } from '../../pwa/push-notice.ts'

test('a push says in how many rooms something is new, in the person’s language', t => {
  t.is(pushNotice({ rooms: 1, lang: 'en' }, 'de-DE').body, 'Something new in 1 room')
  t.is(pushNotice({ rooms: 3, lang: 'en-GB' }, 'de').body, 'Something new in 3 rooms')
  t.is(pushNotice({ rooms: 2, lang: 'de' }, 'en').body, 'Neues in 2 Räumen')
  t.is(pushNotice({ rooms: 1, lang: 'fr' }, 'en').body, 'Du nouveau dans 1 salon')
  t.like(pushNotice({ rooms: 2, lang: 'ar' }, 'en'), { body: 'جديد في غرفتين', lang: 'ar', dir: 'rtl' })
})

test('what is not understood is still a notification', t => {
  for (const payload of [
    null,
    undefined,
    'x',
    7,
    {},
    { rooms: '<b>' },
    { rooms: -1 },
    { rooms: 1.5, lang: 7 },
  ])
    t.like(pushNotice(payload, 'fr-CA'), { body: 'Il y a du nouveau', lang: 'fr', dir: 'ltr' })
  t.is(pushNotice({ lang: 'constructor' }, 'tlh').body, 'Something new')
})

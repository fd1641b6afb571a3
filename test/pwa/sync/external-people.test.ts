/** Guests of our own organisation are marked where their server says that they are, also without it. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import type { Http } from '../../../pwa/api/http.ts'
import { ExternalPeople } from '../../../pwa/sync/external-people.ts'
import { member, raw, Synced, us } from './synced.ts'

const guest = '@guest:a.example'

async function withGuest() {
  const synced = await Synced.open()
  const begin = [raw('m.room.create', { room_version: '12' }, { state_key: '' }), member(us), member(guest)]
  await synced.news(begin, { state: begin })
  return synced
}

const people = (synced: Synced, answer: () => object) =>
  new ExternalPeople({
    store: synced.store,
    http: { request: async () => answer() } as unknown as Http,
    tell: notice => void synced.notices.push(notice),
  })

test('a room with a guest is one with people from outside, also after a start without the server', async t => {
  const synced = await withGuest()
  t.is(synced.entry().guests, 0)
  let ids: unknown = [guest, '@elsewhere:a.example', 7]
  const asked = people(synced, () => ({ user_ids: ids }))
  asked.ask()
  await asked.settled()
  t.is(synced.entry().guests, 1)
  t.true(synced.notices.some(({ kind }) => kind === 'members'))
  await synced.restart()
  t.is(synced.entry().guests, 1)
  t.true(synced.store.external.has(guest))
  ids = []
  const later = people(synced, () => ({ user_ids: ids }))
  later.ask()
  await later.settled()
  t.is(synced.entry().guests, 0)
})

test('a server that has no such answer, or gives another one, changes nothing', async t => {
  const synced = await withGuest()
  const answers = [
    () => ({}),
    () => ({ user_ids: 'all' }),
    () => {
      throw new ApiError('M_UNRECOGNIZED', 'no such endpoint', { status: 404 })
    },
  ]
  const known = people(synced, () => ({ user_ids: [guest] }))
  known.ask()
  await known.settled()
  for (const answer of answers) {
    const asked = people(synced, answer)
    asked.ask()
    await asked.settled()
    t.is(synced.entry().guests, 1)
  }
})

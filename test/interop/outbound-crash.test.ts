/**
 * What waits for a peer, while both servers are killed again and again: whatever a client was told is sent arrives at the
 * other server, in its order and once.
 */
import test from 'ava'
import { call } from '../support/client.ts'
import { type FederatedServer, pinSite, startFederated } from '../support/federated.ts'
import { type Session, sleep } from '../support/server-process.ts'
import { Person } from './synapse/person.ts'

const password = 'correct horse battery staple'
const rounds = 4
const perRound = 15
const patienceMs = 60_000

let a: FederatedServer
let b: FederatedServer
test.after.always(() => Promise.all([a?.process.remove(), b?.process.remove()]))

test.serial(
  'events and messages between devices survive kill -9 of either side, and none comes twice',
  async t => {
    ;[a, b] = await Promise.all([startFederated('a.test'), startFederated('b.test')])
    await pinSite(a, b)
    await pinSite(b, a)
    const ann = new Person(a.process.base, await a.process.register('ann', password))
    const benSession = await b.process.register('ben', password)
    const ben = new Person(b.process.base, benSession)
    const roomId = await ann.createRoom({ preset: 'public_chat' })
    await ben.join(roomId, a.serverName)

    const sent: string[] = []
    for (let round = 0; round < rounds; round++) {
      const isTheirs = round % 2 === 1
      if (isTheirs) await b.process.kill()
      const killed = sleep(40 + 60 * round).then(() => a.process.kill())
      const writing = write(ann, roomId, ben.session, round, sent)
      await killed
      await a.process.start()
      if (isTheirs) await b.process.start()
      await writing
    }

    const wanted = sent.map((_, i) => `message ${i}`)
    const seen = await waitFor(ben, roomId, wanted.length)
    t.deepEqual(seen.events, sent)
    t.deepEqual(seen.messages, wanted)
    t.deepEqual(
      (await waitFor(ben, roomId, wanted.length)).messages,
      [],
      'acknowledged once, they do not come back',
    )
  },
)

/** Each one is repeated under its transaction id until it is answered. */
async function write(ann: Person, roomId: string, to: Session, round: number, sent: string[]): Promise<void> {
  for (let i = 0; i < perRound; i++) {
    const n = round * perRound + i
    const put = async (path: string, body: object) => {
      for (;;) {
        const answer = await call(ann.base, 'PUT', `/_matrix/client/v3${path}`, {
          token: ann.session.token,
          body,
        }).catch(() => null)
        if (answer?.status === 200) return answer.body
        await sleep(50)
      }
    }
    const room = encodeURIComponent(roomId)
    const { event_id } = await put(`/rooms/${room}/send/m.room.message/${n}`, {
      msgtype: 'm.text',
      body: `${n}`,
    })
    sent.push(event_id)
    await put(`/sendToDevice/m.test/${n}`, {
      messages: { [to.userId]: { [to.deviceId]: { text: `message ${n}` } } },
    })
  }
}

let since: string | undefined

/** Ben syncs until he has this many of both, or patience ends. */
async function waitFor(ben: Person, roomId: string, count: number) {
  const messages: string[] = []
  let events: string[] = []
  const until = Date.now() + (since === undefined ? patienceMs : 2_000)
  while (Date.now() < until && (messages.length < count || events.length < count)) {
    const query = `timeout=500${since === undefined ? '' : `&since=${since}`}`
    const answer = await ben.api('GET', `/v3/sync?${query}`)
    since = answer.next_batch
    for (const { content } of answer.to_device?.events ?? []) messages.push(content.text)
    const page = await ben.api('GET', `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500`)
    events = page.chunk
      .filter(({ type }: { type: string }) => type === 'm.room.message')
      .map(({ event_id }: { event_id: string }) => event_id)
      .reverse()
  }
  return { messages, events }
}

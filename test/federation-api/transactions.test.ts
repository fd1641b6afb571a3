/** Transactions: what of them is taken side by side, and what in turn. */
import test from 'ava'
import { type TakeEdu, transactionRoutes } from '../../server/federation-api/transactions.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { PduResults } from '../../server/rooms/inbound-rooms.ts'
import type { Position } from '../../server/store/store.ts'
import { alice, device } from '../keys/people.ts'
import { dora, openTwoServers } from '../keys/two-servers.ts'
import { startHttp } from '../support/http.ts'
import { authenticate, peer } from './asking-peer.ts'

async function sending(takeEdu: TakeEdu) {
  const events: string[] = []
  const rooms = {
    takeTransaction: async () => {
      events.push('events')
      return new Map()
    },
  }
  const noting: TakeEdu = async (origin, type, content) => {
    events.push(`+${content['name']}`)
    await takeEdu(origin, type, content)
    events.push(`-${content['name']}`)
  }
  const http = await startHttp(transactionRoutes({ authenticate, rooms, takeEdu: noting }))
  const send = async (edus: readonly JsonObject[]) => {
    const options = { headers: { 'x-test-origin': peer }, body: { pdus: [], edus } }
    const answer = await http.call('PUT', '/_matrix/federation/v1/send/1', options)
    await http.close()
    return answer.status
  }
  return { events, send }
}

test('what stands on events that its sender did not give is sent back, and not for ever', async t => {
  const lacking = new Map([
    ['$lacking', { error: 'could not be had', mayComeAgain: true }],
  ]) as never as PduResults
  let results: PduResults = lacking
  const edus: string[] = []
  const takeEdu: TakeEdu = async (_origin, type) => void edus.push(type)
  const http = await startHttp(
    transactionRoutes({ authenticate, rooms: { takeTransaction: async () => results }, takeEdu }),
  )
  t.teardown(() => http.close())
  const send = (txnId: string) =>
    http.call('PUT', `/_matrix/federation/v1/send/${txnId}`, {
      headers: { 'x-test-origin': peer },
      body: { pdus: [], edus: [edu('m.typing', 'x')] },
    })
  for (let i = 0; i < 3; i++) t.like(await send('1'), { status: 503, body: { errcode: 'M_UNKNOWN' } })
  t.deepEqual(edus, [])
  const taken = await send('1')
  t.deepEqual(taken.body, { pdus: { $lacking: { error: 'could not be had' } } })
  t.is((await send('2')).status, 200)
  results = new Map()
  t.is((await send('3')).status, 200)
  results = lacking
  t.is((await send('4')).status, 503)
  results = new Map([['$lacking', {}]]) as never as PduResults
  t.deepEqual((await send('4')).body, { pdus: { $lacking: {} } })
})

const edu = (edu_type: string, name: string, content: JsonObject = {}) => ({
  edu_type,
  content: { name, ...content },
})

test('messages between devices begin in their order and end together, before the events; all else comes after, in turn', async t => {
  const { events, send } = await sending(() => new Promise(resolve => setImmediate(resolve)))
  const status = await send([
    edu('m.receipt', 'r'),
    edu('m.direct_to_device', 'a'),
    edu('m.typing', 's'),
    edu('m.direct_to_device', 'b'),
    edu('m.direct_to_device', 'c'),
  ])
  t.is(status, 200)
  t.deepEqual(events, ['+a', '+b', '+c', '-a', '-b', '-c', 'events', '+r', '-r', '+s', '-s'])
})

test('the devices of a person get them in the order in which they came', async t => {
  const { here } = await openTwoServers({ slow: true })
  const phone = device('PHONE')
  here.devices.add(alice, phone)
  const { send } = await sending(here.take)
  const names = Array.from({ length: 60 }, (_, i) => `${i}`)
  await send(
    names.map(name =>
      edu('m.direct_to_device', name, {
        sender: dora,
        type: 'm.test',
        message_id: name,
        messages: { [alice]: { [phone]: { name } } },
      }),
    ),
  )
  const upTo = here.store.durablePosition
  const { events } = await here.keys.toDevice(alice, phone, 0 as Position, upTo)
  t.deepEqual(
    events.map(({ content }) => content['name']),
    names,
  )
})

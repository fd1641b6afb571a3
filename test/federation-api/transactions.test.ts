/** Transactions: what of them is taken side by side, and what in turn. */
import test from 'ava'
import { type TakeEdu, transactionRoutes } from '../../server/federation-api/transactions.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
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

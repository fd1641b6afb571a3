import test from 'ava'
import type { UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { toDeviceTransactionTable } from '../../server/store/catalogue.ts'
import type { Position } from '../../server/store/store.ts'
import { alice, bob, carol, type Directory, device, openDirectory } from './people.ts'

const none = 0 as Position
let txn = 0

function request(messages: [UserId, string, JsonObject][], txnId = `t${txn++}`) {
  return {
    sender: alice,
    senderDevice: device('A'),
    txnId,
    type: 'm.test',
    messages: messages.map(([userId, deviceId, content]) => ({
      userId,
      deviceId: device(deviceId),
      content,
    })),
  }
}

async function inbox({ keys, store }: Directory, deviceId: string, after = none): Promise<unknown[]> {
  const { events } = await keys.toDevice(bob, device(deviceId), after, store.durablePosition)
  return events.map(({ content }) => content['n'])
}

for (const slow of [false, true]) {
  const how = slow ? ' (slow store)' : ''
  const open = async () => {
    const directory = await openDirectory({ slow })
    directory.devices.add(bob, device('X'))
    directory.devices.add(bob, device('Y'))
    return directory
  }

  test(`a message waits until the device has acknowledged it${how}`, async t => {
    const directory = await open()
    const { keys, store } = directory
    await keys.sendToDevice(request([[bob, 'X', { n: 1 }]]))
    const page = await keys.toDevice(bob, device('X'), none, store.durablePosition)
    t.deepEqual(page.events, [{ type: 'm.test', sender: alice, content: { n: 1 } }])
    t.deepEqual(await inbox(directory, 'X'), [1])
    t.deepEqual(await inbox(directory, 'X', page.upTo), [])
    await keys.sendToDevice(request([[bob, 'X', { n: 2 }]]))
    await keys.acknowledge(bob, device('X'), page.upTo)
    t.deepEqual(await inbox(directory, 'X'), [2])
    t.deepEqual(await inbox(directory, 'Y'), [])
  })

  test(`messages come in the order of sending, at most the limit at a time${how}`, async t => {
    const { keys, store } = await open()
    for (let n = 0; n < 25; n++) await keys.sendToDevice(request([[bob, 'X', { n }]]))
    const seen: unknown[] = []
    let after = none
    for (let pages = 1; pages <= 3; pages++) {
      const page = await keys.toDevice(bob, device('X'), after, store.durablePosition, 10)
      seen.push(...page.events.map(({ content }) => content['n']))
      after = page.upTo
    }
    t.deepEqual(
      seen,
      Array.from({ length: 25 }, (_, n) => n),
    )
    t.is(after, store.durablePosition)
  })

  test(`the same transaction again delivers nothing, also at the same time and after a restart${how}`, async t => {
    const directory = await open()
    const again = request([[bob, 'X', { n: 1 }]], 'same')
    await Promise.all([directory.keys.sendToDevice(again), directory.keys.sendToDevice(again)])
    await (await directory.reopen()).sendToDevice(again)
    t.deepEqual(await inbox(directory, 'X'), [1])
    // Transaction ids belong to a device.
    await directory.keys.sendToDevice({ ...again, senderDevice: device('A2') })
    t.deepEqual(await inbox(directory, 'X'), [1, 1])
  })
}

test('a star reaches every device; unknown devices, people and servers get nothing', async t => {
  const directory = await openDirectory()
  directory.devices.add(bob, device('X'))
  directory.devices.add(bob, device('Y'))
  await directory.keys.sendToDevice(
    request([
      [bob, '*', { n: 1 }],
      [bob, 'Z', { n: 2 }],
      [carol, '*', { n: 3 }],
      ['@bob:elsewhere.test' as UserId, 'X', { n: 4 }],
    ]),
  )
  t.deepEqual(await inbox(directory, 'X'), [1])
  t.deepEqual(await inbox(directory, 'Y'), [1])
  t.deepEqual(await inbox(directory, 'Z'), [])
})

test('an inbox that was seen empty shows the next message as soon as it is durable', async t => {
  const directory = await openDirectory({ slow: true })
  const { keys, store, devices } = directory
  devices.add(bob, device('X'))
  t.deepEqual(await inbox(directory, 'X'), [])
  const woken = new Promise<unknown[]>(resolve => {
    store.onDurable(({ topics }) => {
      if (topics.has(`device:${bob}/X`)) resolve(inbox(directory, 'X'))
    })
  })
  await keys.sendToDevice(request([[bob, 'X', { n: 1 }]]))
  t.deepEqual(await woken, [1])
})

test('what lies above the position that is asked for is not shown', async t => {
  const { keys, store, devices } = await openDirectory()
  devices.add(bob, device('X'))
  await keys.sendToDevice(request([[bob, 'X', { n: 1 }]]))
  const upTo = store.durablePosition
  await keys.sendToDevice(request([[bob, 'X', { n: 2 }]]))
  const page = await keys.toDevice(bob, device('X'), none, upTo)
  t.is(page.events.length, 1)
  t.is(page.upTo, upTo)
})

test('acknowledging where nothing waits writes nothing', async t => {
  const { keys, store, devices } = await openDirectory()
  devices.add(bob, device('X'))
  let commits = 0
  store.onDurable(() => commits++)
  for (let i = 0; i < 3; i++) await keys.acknowledge(bob, device('X'), store.durablePosition)
  t.is(commits, 0)
})

test('a removed device’s messages go with it', async t => {
  const directory = await openDirectory()
  const { keys, store, devices } = directory
  devices.add(bob, device('X'))
  await keys.sendToDevice(request([[bob, 'X', { n: 1 }]]))
  await store.transact(bob, tx => keys.removeDevice(tx, bob, device('X')))
  t.deepEqual(await inbox(directory, 'X'), [])
})

test('too large a message, and too many, are refused as a whole', async t => {
  const directory = await openDirectory()
  directory.devices.add(bob, device('X'))
  const large = request([
    [bob, 'X', { n: 1 }],
    [bob, 'X', { n: 'x'.repeat(70_000) }],
  ])
  await t.throwsAsync(directory.keys.sendToDevice(large), { code: 'M_TOO_LARGE', message: /messages\.@bob/ })
  const many = request(Array.from({ length: 5_001 }, () => [bob, 'X', {}]))
  await t.throwsAsync(directory.keys.sendToDevice(many), { code: 'M_TOO_LARGE', message: /messages/ })
  t.deepEqual(await inbox(directory, 'X'), [])
})

test('transaction ids are forgotten after some weeks, not before', async t => {
  const directory = await openDirectory()
  const { keys, store, devices } = directory
  devices.add(bob, device('X'))
  const week = 7 * 24 * 3_600_000
  const old = request([[bob, 'X', { n: 1 }]], 'old')
  await keys.sendToDevice(old)
  directory.now += 2 * week
  await keys.sendToDevice(old)
  t.deepEqual(await inbox(directory, 'X'), [1])
  directory.now += week
  await keys.sendToDevice(request([], 'other'))
  const rows = await store.read(view => view.range(toDeviceTransactionTable.under()))
  t.deepEqual(
    rows.map(({ parts }) => parts[3]),
    ['other'],
  )
})

test('a message to all devices of many is not multiplied without end, and is then delivered to none', async t => {
  const directory = await openDirectory()
  for (let i = 0; i < 600; i++) directory.devices.add(bob, device(`D${i}`))
  const large = { text: 'x'.repeat(60_000) }
  const refused = directory.keys.sendToDevice(request([[bob, '*', large]]))
  await t.throwsAsync(refused, { code: 'M_TOO_LARGE', message: /messages/ })
  t.deepEqual(await inbox(directory, 'D0'), [])
  await directory.keys.sendToDevice(request([[bob, '*', { n: 1 }]]))
  t.deepEqual(await inbox(directory, 'D599'), [1])
})

/** Asking a time server. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { askTimeServer, readAnswer } from '../../provisioning/time-source.ts'

const cookie = Buffer.from('12345678')
const now = Date.UTC(2026, 10, 21)

function answerAt(ts: number, { first = 0x24, stratum = 2, originate = cookie } = {}): Buffer {
  const bytes = Buffer.alloc(48)
  bytes[0] = first
  bytes[1] = stratum
  originate.copy(bytes, 24)
  for (const at of [32, 40]) {
    bytes.writeUInt32BE((Math.floor(ts / 1000) + 2_208_988_800) % 2 ** 32, at)
    bytes.writeUInt32BE(Math.floor(((ts % 1000) / 1000) * 2 ** 32), at + 4)
  }
  return bytes
}

test('how far this machine is behind, or ahead, half of the way there and back left out', t => {
  t.is(readAnswer(answerAt(now + 5_000), cookie, now, now)?.offsetMs, 5_000)
  t.is(readAnswer(answerAt(now - 250), cookie, now - 100, now + 100)?.offsetMs, -250)
  const in2040 = Date.UTC(2040, 0, 1)
  t.is(readAnswer(answerAt(in2040), cookie, in2040, in2040)?.offsetMs, 0)
})

test('what is no answer to this question counts for nothing', t => {
  t.is(readAnswer(answerAt(now).subarray(0, 47), cookie, now, now), null)
  t.is(readAnswer(answerAt(now, { originate: Buffer.from('87654321') }), cookie, now, now), null)
  t.is(readAnswer(answerAt(now, { first: 0x23 }), cookie, now, now), null)
  t.is(readAnswer(answerAt(now, { first: 0xe4 }), cookie, now, now), null, 'its own clock is not set')
  t.is(readAnswer(answerAt(now, { stratum: 0 }), cookie, now, now), null, 'it refuses')
})

async function server(
  t: ExecutionContext,
  answer: (request: Uint8Array) => Uint8Array | null,
): Promise<number> {
  const socket = createSocket('udp4')
  socket.on('message', (request, from) => {
    const bytes = answer(request)
    if (bytes) socket.send(bytes, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => void socket.close())
  return (socket.address() as AddressInfo).port
}

test('over the network; a server that says nothing is no server', async t => {
  const port = await server(t, request =>
    answerAt(now + 60_000, { originate: Buffer.from(request.subarray(40, 48)) }),
  )
  t.is((await askTimeServer('127.0.0.1', () => now, port))?.offsetMs, 60_000)
  t.is(await askTimeServer('127.0.0.1', () => now, await server(t, () => null)), null)
  t.is(await askTimeServer('no.such.host.invalid', () => now, port), null)
})

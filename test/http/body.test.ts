import { connect } from 'node:net'
import test from 'ava'
import {
  bodyPieces,
  maxBodyBytes,
  parseBody,
  parseBodyUpTo,
  parseOptionalBody,
} from '../../server/http/body.ts'
import type { Route, Step } from '../../server/http/route.ts'
import { startHttp } from '../support/http.ts'

const echo: Step = ctx => {
  ctx.body = ctx.state.body
}
const soon: Step = async (_ctx, next) => {
  await new Promise(resolve => setTimeout(resolve, 20))
  await next()
}
/** How the reading of pieces ended, by the header that the client chose. */
const readings = new Map<string, string>()
const pieces =
  (longestMs: number | null): Step =>
  async ctx => {
    const name = ctx.get('x-name')
    try {
      for await (const _ of bodyPieces(ctx, longestMs));
      readings.set(name, 'whole')
    } catch (error) {
      readings.set(name, (error as Error).name)
      throw error
    }
    ctx.body = {}
  }
const routes: Route[] = [
  { method: 'PUT', path: '/bounded', steps: [pieces(50)] },
  { method: 'PUT', path: '/unbounded', steps: [pieces(null)] },
  { method: 'PUT', path: '/strict', steps: [parseBody, echo] },
  { method: 'PUT', path: '/late', steps: [soon, parseBody, echo] },
  { method: 'POST', path: '/optional', steps: [parseOptionalBody, echo] },
  { method: 'PUT', path: '/small', steps: [parseBodyUpTo(100), echo] },
  { method: 'PUT', path: '/small-late', steps: [soon, parseBodyUpTo(100), echo] },
]
const server = startHttp(routes)
test.after.always(async () => (await server).close())

for (const path of ['/strict', '/late', '/small']) {
  test(`a JSON object reaches the steps after it: ${path}`, async t => {
    const { status, body } = await (await server).call('PUT', path, { body: { a: { b: ['é'] } } })
    t.is(status, 200)
    t.deepEqual(body, { a: { b: ['é'] } })
  })
}

test('a body in many pieces is put together', async t => {
  const { port } = await server
  const answer = await raw(port, async socket => {
    socket.write('PUT /strict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (const piece of ['{"a', '":"\xc3', '\xa9"', '}']) {
      socket.write(`${piece.length.toString(16)}\r\n`)
      socket.write(Buffer.from(`${piece}\r\n`, 'latin1'))
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    socket.write('0\r\n\r\n')
  })
  t.regex(answer, /^HTTP\/1\.1 200[\s\S]*\{"a":"é"\}/)
})

test('no body is {} only where the body is optional', async t => {
  const { call } = await server
  t.deepEqual((await call('POST', '/optional')).body, {})
  const refused = await call('PUT', '/strict')
  t.is(refused.status, 400)
  t.is(refused.body.errcode, 'M_NOT_JSON')
})

test('an optional body that is there must be JSON', async t => {
  t.is((await (await server).call('POST', '/optional', { body: 'x' })).body.errcode, 'M_NOT_JSON')
})

test('a compressed body is refused', async t => {
  const answer = await (await server).call('PUT', '/strict', {
    body: '{}',
    headers: { 'content-encoding': 'gzip' },
  })
  t.is(answer.status, 415)
})

for (const path of ['/small', '/small-late']) {
  test(`a body of the limit passes, one byte more is 413: ${path}`, async t => {
    const { call } = await server
    const fits = JSON.stringify({ a: 'x'.repeat(92) })
    t.is(fits.length, 100)
    t.is((await call('PUT', path, { body: fits })).status, 200)
    const refused = await call('PUT', path, { body: `${fits} ` })
    t.is(refused.status, 413)
    t.is(refused.body.errcode, 'M_TOO_LARGE')
  })
}

test('a client that sends far too much still sees the refusal', async t => {
  const refused = await (await server).call('PUT', '/strict', { body: 'x'.repeat(maxBodyBytes * 2) })
  t.is(refused.status, 413)
})

test('a chunked body without a length is cut at the limit', async t => {
  const { port } = await server
  const answer = await raw(port, async socket => {
    socket.write('PUT /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    socket.write(`40\r\n${'x'.repeat(64)}\r\n40\r\n${'x'.repeat(64)}\r\n0\r\n\r\n`)
  })
  t.regex(answer, /^HTTP\/1\.1 413/)
})

test('a client that goes away in the middle of its body leaves no line and no step', async t => {
  let ran = 0
  const { port, lines, close } = await startHttp([
    { method: 'PUT', path: '/strict', steps: [parseBody, () => void ran++] },
  ])
  const socket = connect(port, '127.0.0.1')
  socket.write('PUT /strict HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"a":')
  await new Promise(resolve => setTimeout(resolve, 50))
  socket.destroy()
  await new Promise(resolve => setTimeout(resolve, 50))
  t.is(ran, 0)
  t.deepEqual(lines, [])
  await close()
})

/** What the server answers on a bare connection until it closes it. */
/** Until the server has had enough of it, or twenty pieces have gone. */
async function drip(path: string): Promise<string> {
  return raw((await server).port, async socket => {
    socket.on('error', () => {})
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nX-Name: ${path}\r\nContent-Length: 20\r\n\r\n`)
    for (let i = 0; i < 20 && !socket.destroyed; i++) {
      socket.write('x')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  })
}

test('an upload that never ends is cut off; one without a limit may take its time', async t => {
  t.is(await drip('/bounded'), '')
  t.is(readings.get('/bounded'), 'RequestAborted')
  t.regex(await drip('/unbounded'), /^HTTP\/1.1 200 /)
  t.is(readings.get('/unbounded'), 'whole')
})

async function raw(
  port: number,
  write: (socket: import('node:net').Socket) => Promise<void>,
): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => {
    answer += chunk.toString()
    if (answer.includes('\r\n\r\n{')) socket.end()
  })
  const closed = new Promise(resolve => socket.on('close', resolve).on('error', resolve))
  await write(socket)
  await closed
  return answer
}

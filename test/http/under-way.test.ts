/** A request is under way while its body comes: what happens to the account meanwhile counts. */
import { connect } from 'node:net'
import test from 'ava'
import { refuseSuspended, requireAccessToken, type TokenState } from '../../server/http/authenticate.ts'
import { parseBody } from '../../server/http/body.ts'
import type { Route } from '../../server/http/route.ts'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import { startHttp } from '../support/http.ts'

const requester = {
  userId: '@ann:here.test' as UserId,
  deviceId: 'D' as DeviceId,
  kind: 'member',
  tokenHash: 'h',
} as const

/** Sends the head and half of a body, lets `meanwhile` happen, and then sends the rest. */
async function slowly(port: number, meanwhile: () => void): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const answered = new Promise<string>(resolve => {
    let text = ''
    socket.on('data', chunk => {
      text += chunk
      if (text.includes('\r\n\r\n')) resolve(text)
    })
  })
  socket.write('PUT /act HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nContent-Length: 2\r\n\r\n{')
  await new Promise(resolve => setTimeout(resolve, 100))
  meanwhile()
  socket.write('}')
  const text = await answered
  socket.destroy()
  return text
}

for (const [what, after, status] of [
  ['nothing', { kind: 'valid', requester, standing: 'good' }, 200],
  ['a logout or a deactivation', { kind: 'unknown' }, 401],
  ['a lock', { kind: 'valid', requester, standing: 'locked' }, 401],
  ['a suspension', { kind: 'valid', requester, standing: 'suspended' }, 403],
] as const satisfies readonly (readonly [string, TokenState, number])[]) {
  test(`a request whose body is still on its way when there comes ${what} is answered ${status}`, async t => {
    let state: TokenState = { kind: 'valid', requester, standing: 'good' }
    let acted = false
    const act: Route = {
      method: 'PUT',
      path: '/act',
      steps: [
        requireAccessToken({ readToken: () => state }),
        refuseSuspended,
        parseBody,
        ctx => {
          acted = true
          ctx.body = {}
        },
      ],
    }
    const http = await startHttp([act])
    const answer = await slowly(http.port, () => {
      state = after
    })
    t.regex(answer, new RegExp(`^HTTP/1.1 ${status} `))
    t.is(acted, status === 200)
    await http.close()
  })
}

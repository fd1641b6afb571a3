/** A conversation that could not be begun leaves no room behind, whatever broke off in between. */
import { call } from '../support/client.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { Person } from './person.ts'
import { testsWithServer } from './with-server.ts'

const test = testsWithServer()
const { fetch } = globalThis

test.afterEach.always(() => {
  globalThis.fetch = fetch
})
const direct = (userId: string) =>
  ({ invite: [userId], isDirect: true, encrypted: true, joinRule: 'invite' }) as const

/** By the server's own word, and by what this device shows. */
async function hasNoRoom(server: ServerProcess, person: Person, token: string): Promise<boolean> {
  const { body } = await call(server.base, 'GET', '/_matrix/client/v3/joined_rooms', { token })
  const here = await person.owner.calls.rooms(null)
  return (body['joined_rooms'] as unknown[]).length === 0 && here.length === 0
}

const isInvitation = (url: unknown) => /\/(invite|state\/m\.room\.member\/[^/]+)$/.test(String(url))

test.serial('who is refused an invitation is told so, and the room is gone', async t => {
  const { server } = t.context
  const { token } = await server.register('warda', 'a long enough password')
  const warda = await Person.again(server, 'warda')
  const error = await t.throwsAsync(warda.owner.calls.createRoom(direct('@nobody:nowhere.example')))
  t.like(error, { code: 'NOT_INVITED' })
  t.not(error!.message, '', 'the server’s own words, for the details')
  await warda.until(() => hasNoRoom(server, warda, token))
  t.is((await warda.owner.calls.accountData('m.direct'))?.['@nobody:nowhere.example'], undefined)
})

test.serial('a server that goes away half-way: the empty room is gone once it is back', async t => {
  const { server } = t.context
  const { token } = await server.register('yara', 'a long enough password')
  await server.register('sami', 'a long enough password')
  const yara = await Person.again(server, 'yara')
  let isAway = false
  globalThis.fetch = async (url, init) => {
    if (isInvitation(url)) isAway = true
    if (isAway) throw new TypeError('the server is away')
    return fetch(url, init)
  }
  await t.throwsAsync(yara.owner.calls.createRoom(direct('@sami:localhost')), { code: 'NOT_INVITED_YET' })
  await yara.until(async () => (await yara.owner.calls.connection(null)).state === 'offline')
  globalThis.fetch = fetch
  await yara.owner.calls.reconnect(null)
  await yara.until(() => hasNoRoom(server, yara, token))
  const again = await yara.owner.calls.createRoom(direct('@sami:localhost'))
  await yara.until(async () => {
    const found = (await yara.owner.calls.rooms(null)).find(({ roomId }) => roomId === again)
    return found?.directWith[0] === '@sami:localhost'
  })
  t.is((await yara.owner.calls.rooms(null)).length, 1)
})

test.serial('an invitation that arrived though its answer was lost: the conversation stays', async t => {
  const { server } = t.context
  await server.register('nour', 'a long enough password')
  await server.register('hani', 'a long enough password')
  const nour = await Person.again(server, 'nour')
  let isAway = false
  globalThis.fetch = async (url, init) => {
    const answer = isAway ? null : await fetch(url, init)
    if (isInvitation(url)) isAway = true
    if (!answer || isAway) throw new TypeError('the server is away')
    return answer
  }
  await t.throwsAsync(nour.owner.calls.createRoom(direct('@hani:localhost')), { code: 'NOT_INVITED_YET' })
  await nour.until(async () => (await nour.owner.calls.connection(null)).state === 'offline')
  globalThis.fetch = fetch
  await nour.owner.calls.reconnect(null)
  await nour.until(async () => (await nour.owner.calls.rooms(null))[0]?.directWith[0] === '@hani:localhost')
  t.is((await nour.owner.calls.rooms(null)).length, 1)
})

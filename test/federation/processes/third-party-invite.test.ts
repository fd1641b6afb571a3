/**
 * An invite by a third party's word between two appliances: Ann's room holds a token of an identity server, which then
 * says whose it is; the invitee's server asks Ann's to make an invite of it.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { encodeBase64 } from '../../../server/protocol/base64.ts'
import { canonicalJson } from '../../../server/protocol/canonical-json.ts'
import type { ServerName } from '../../../server/protocol/ids.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { signRequest } from '../../../server/protocol/request-signing.ts'
import { type KeyId, signJson } from '../../../server/protocol/signing.ts'
import { type FederatedServer, pinSite, startFederated } from '../../support/federated.ts'
import { eventually, person } from '../../support/person.ts'
import { signingKey } from '../../support/primitives.ts'

async function started(t: ExecutionContext, host: string): Promise<FederatedServer> {
  const server = await startFederated(host)
  t.teardown(() => server.process.remove())
  return server
}

/** As this server itself would ask: with its own key, from its data folder. */
async function askAs(asking: FederatedServer, to: FederatedServer, path: string, body: JsonObject) {
  const file = join(asking.process.folder, 'data', 'keys', 'event-signing.json')
  const { current, keys } = JSON.parse(readFileSync(file, 'utf8'))
  const { sign } = signingKey(Buffer.from(keys[current].seed, 'base64'))
  const content = canonicalJson(body)
  const [origin, destination] = [asking.serverName as ServerName, to.serverName as ServerName]
  const sending = request({
    host: '127.0.0.1',
    port: to.federationPort,
    servername: to.serverName.split(':')[0],
    ca: to.authority,
    method: 'PUT',
    path,
    agent: false,
    headers: {
      authorization: signRequest(
        { method: 'PUT', uri: path, origin, destination, content },
        current as KeyId,
        sign,
      ),
      'content-type': 'application/json',
    },
  }).end(content)
  const [response] = await once(sending, 'response')
  return { status: response.statusCode as number, body: JSON.parse(await text(response)) }
}

test.serial(
  'a token in Ann’s room becomes Bob’s invite on the other appliance, and nobody else’s',
  async t => {
    const [a, b] = await Promise.all([started(t, 'a.test'), started(t, 'b.test')])
    await pinSite(a, b)
    await pinSite(b, a)
    const ann = await person(a, 'ann')
    const bob = await person(b, 'bob')
    const mallory = await person(b, 'mallory')
    const { room_id: room } = await ann.ask('POST', '/createRoom', {})
    const identity = signingKey(new Uint8Array(32).fill(5))
    const token = 'a token for bob'
    const invited = await ann.setState(room, 'm.room.third_party_invite', token, {
      display_name: 'b…@court.example',
      key_validity_url: 'https://id.test/valid',
      public_key: encodeBase64(identity.publicKey),
      public_keys: [{ public_key: encodeBase64(identity.publicKey) }],
    })
    t.is(invited.status, 200)

    const path = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(room)}`
    const exchange = (
      mxid: string,
      more: { sign?: typeof identity.sign; token?: string; sender?: string; key?: string } = {},
    ) => {
      const said = { mxid, token: more.token ?? token }
      const signed = signJson(said, 'id.test' as ServerName, 'ed25519:0' as KeyId, more.sign ?? identity.sign)
      return askAs(b, a, path, {
        type: 'm.room.member',
        room_id: room,
        sender: more.sender ?? ann.userId,
        state_key: more.key ?? mxid,
        content: { membership: 'invite', third_party_invite: { display_name: 'b…', signed } },
      })
    }
    const membership = async (userId: string) =>
      (
        await ann.call(
          'GET',
          `/rooms/${encodeURIComponent(room)}/state/m.room.member/${encodeURIComponent(userId)}`,
        )
      ).body.membership

    const impostor = signingKey(new Uint8Array(32).fill(6))
    for (const [what, asked] of [
      ['signed by somebody else', () => exchange(mallory.userId, { sign: impostor.sign })],
      ['a token that nobody gave', () => exchange(mallory.userId, { token: 'another' })],
      ['Bob’s token for Mallory', () => exchange(bob.userId, { key: mallory.userId })],
      [
        'in the name of somebody who is not in the room',
        () => exchange(bob.userId, { sender: `@eve:${a.serverName}` }),
      ],
      ['in the name of one of another server', () => exchange(bob.userId, { sender: mallory.userId })],
    ] as const) {
      const { status, body } = await asked()
      t.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'], what)
    }
    t.is(await membership(mallory.userId), undefined)
    t.is(await membership(bob.userId), undefined)
    t.deepEqual((await mallory.sync()).rooms?.invite ?? {}, {})

    const done = await exchange(bob.userId)
    t.deepEqual(done, { status: 200, body: {} })
    t.is(await membership(bob.userId), 'invite')
    const invite = await eventually(async () => (await bob.sync()).rooms?.invite?.[room])
    t.truthy(invite.invite_state.events.some((event: { type: string }) => event.type === 'm.room.member'))
    await bob.join(room, a.serverName)
    t.is(await membership(bob.userId), 'join')
    await bob.say(room, 'I was expected')
    await eventually(async () => (await ann.texts(room)).includes('I was expected'))
    // The same word does not bring him back once he was put out for good.
    await ann.ask('POST', `/rooms/${encodeURIComponent(room)}/ban`, { user_id: bob.userId })
    t.is((await exchange(bob.userId)).status, 403)
  },
)

/** Two servers that pin each other: keys rotate by cards, while both run and while one is away. */
import { request } from 'node:https'
import test, { type ExecutionContext } from 'ava'
import { type FederatedServer, pinSite, startFederated } from '../../support/federated.ts'

async function pair(t: ExecutionContext): Promise<{ one: FederatedServer; two: FederatedServer }> {
  const [one, two] = await Promise.all([startFederated('one.example'), startFederated('two.example')])
  t.teardown(async () => {
    await Promise.all([one.process.remove(), two.process.remove()])
  })
  await pinSite(one, two)
  await pinSite(two, one)
  return { one, two }
}

/** `server`'s pin of `other`, once `holds` of it. */
async function pinOf(
  server: FederatedServer,
  other: FederatedServer,
  holds: (pin: { serial: number; signing_keys: { id: string; expired_ts?: number }[] }) => boolean,
) {
  for (let i = 0; i < 1_000; i++) {
    const { body } = await server.admin('GET', `/peers/${encodeURIComponent(other.serverName)}`)
    if (holds(body)) return body
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('the pin did not change')
}

/** As anybody on the network could. */
function bring(to: FederatedServer, card: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: to.federationPort,
      method: 'PUT',
      path: '/_letro/federation/v1/card',
      servername: 'two.example',
      ca: to.authority,
    }
    request(options, answer => {
      answer.resume()
      resolve(answer.statusCode!)
    })
      .on('error', reject)
      .end(JSON.stringify(card))
  })
}

test.serial(
  'a rotated key reaches the peer by itself; a restored older card, a forged and a cut one change nothing',
  async t => {
    const { one, two } = await pair(t)
    const older = (await one.admin('GET', '/site-card')).body.card
    const { body: rotated } = await one.admin('POST', '/site-card/rotate-key', {})
    const pin = await pinOf(two, one, ({ serial }) => serial === rotated.serial)
    t.is(pin.signing_keys.length, 2)
    const current = pin.signing_keys.find((key: { expired_ts?: number }) => key.expired_ts === undefined)
    t.is(current.id, rotated.key_id)

    const newer = (await one.admin('GET', '/site-card')).body.card
    const { signature: _, ...cut } = newer
    for (const card of [older, { ...newer, residency: 'US' }, cut]) t.is(await bring(two, card), 403)
    t.is(await bring(two, newer), 200)
    await t.throwsAsync(
      two.admin('POST', '/peers', { card: older, fingerprint: pin.fingerprint.join(' ') }),
      {
        message: /CARD_OLDER/,
      },
    )
    t.deepEqual(await pinOf(two, one, () => true), pin)
  },
)

test.serial(
  'a peer that is away while the key rotates gets the card when it is back, and believes the new key',
  async t => {
    const { one, two } = await pair(t)
    await two.process.kill()
    const { body: rotated } = await one.admin('POST', '/site-card/rotate-key', {})
    await two.process.start()
    const pin = await pinOf(two, one, ({ serial }) => serial === rotated.serial)
    t.is(pin.signing_keys.length, 2)
  },
)

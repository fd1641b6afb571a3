/** The answers that a new site needs: what is taken, and how what is wrong is named. */
import test from 'ava'
import fc from 'fast-check'
import { AnswersWrong, answersJson, parseSiteAnswers } from '../../provisioning/site-answers.ts'
import { siteToml } from '../../provisioning/site-toml.ts'
import { parseConfig } from '../../server/config.ts'

const least = {
  letro: 1,
  server_name: 'clinic.example',
  origin: 'https://chat.clinic.example',
  administrator: 'amal',
  certificate: { from: 'own' },
}
const words = 'one two three four five six seven eight nine ten eleven twelve a b c d'
const most = {
  ...least,
  server_name: 'clinic.example:8448',
  certificate: { from: 'organisation', file: 'c.p12', passphrase_file: 'p' },
  listen: { client: '[::]:8443', federation: '192.0.2.1:8448' },
  federation: { address: 'fed.clinic.example:8448', residency: 'CH-ZH' },
  time: { servers: ['ntp.clinic.example', '2001:db8::1'] },
  network: { host_name: 'letro', interfaces: [{ name: 'eno1', ipv4: { address: '192.0.2.10/24' } }] },
  peers: [{ card: { server_name: 'court.example' }, fingerprint: words }],
}

test('the least that is needed, and what stands for the rest', t => {
  t.deepEqual(parseSiteAnswers(least), {
    serverName: 'clinic.example' as never,
    origin: 'https://chat.clinic.example',
    administrator: 'amal',
    certificate: { from: 'own' },
    listen: { client: { host: '::', port: 443 }, federation: null, trustPage: { host: '::', port: 80 } },
    federation: { address: null, residency: null },
    time: { servers: [], nts: false },
    peers: [],
    network: null,
  })
  t.deepEqual(parseSiteAnswers({ ...least, certificate: { from: 'proxy' } }).listen.client, {
    host: 'localhost',
    port: 8008,
  })
  t.is(parseSiteAnswers({ ...least, certificate: { from: 'proxy' } }).listen.trustPage, null)
  t.is(parseSiteAnswers({ ...least, listen: { trust_page: null } }).listen.trustPage, null)
  t.is(parseSiteAnswers({ ...least, server_name: ' Clinic.Example' }).serverName, 'clinic.example' as never)
})

for (const json of [
  least,
  { ...least, listen: { trust_page: null } },
  most,
  { ...least, certificate: { from: 'files', certificate: '/a', key: '/b' } },
  { ...least, certificate: { from: 'proxy' } },
]) {
  test(`to a file and back, and the server reads what comes of it: ${JSON.stringify(json).slice(0, 250)}`, t => {
    const answers = parseSiteAnswers(json)
    t.deepEqual(parseSiteAnswers(answersJson(answers)), answers)
    const { config, warnings } = parseConfig(siteToml(answers, '/var/lib/"letro" ü'), {})
    t.deepEqual(warnings, [])
    t.is(config.server.name, answers.serverName)
    t.is(config.server.origin, answers.origin)
    t.is(config.server.data, '/var/lib/"letro" ü')
    t.deepEqual(config.listen, answers.listen)
    t.is(config.accounts.firstAdministrator, 'amal')
    t.is(config.federation.residency, answers.federation.residency)
    if (answers.federation.address) t.deepEqual(config.federation.address, answers.federation.address)
    const { from } = answers.certificate
    t.is(config.tlsAuthority, from === 'own' || from === 'organisation' ? from : null)
    t.is(config.tls !== null, from === 'files')
  })
}

const wrong: readonly (readonly [unknown, readonly string[]])[] = [
  [null, ['(the file)']],
  [[], ['(the file)']],
  [{}, ['letro', 'server_name', 'origin', 'administrator', 'certificate']],
  [{ ...least, letro: 2 }, ['letro']],
  [{ ...least, server_name: '192.0.2.1' }, ['server_name']],
  [{ ...least, server_name: '[2001:db8::1]:8448' }, ['server_name']],
  [{ ...least, server_name: 'localhost' }, ['server_name']],
  [{ ...least, server_name: 'a b' }, ['server_name']],
  [{ ...least, origin: 'http://clinic.example' }, ['origin']],
  [{ ...least, origin: 'https://clinic.example/chat' }, ['origin']],
  [{ ...least, origin: 'https://0x7f.1' }, ['origin']],
  [{ ...least, administrator: 'Amal Khoury' }, ['administrator']],
  [{ ...least, administrator: '' }, ['administrator']],
  [{ ...least, administratr: 'amal' }, ['administratr']],
  [{ ...least, certificate: 'own' }, ['certificate']],
  [{ ...least, certificate: { from: 'acme' } }, ['certificate']],
  [{ ...least, certificate: { from: 'toString' } }, ['certificate']],
  [{ ...least, certificate: { from: 'own', key: 'k' } }, ['certificate.key']],
  [{ ...least, certificate: { from: 'files', key: 7 } }, ['certificate.key', 'certificate.certificate']],
  [{ ...least, certificate: { from: 'organisation', key: 'k' } }, ['certificate.file']],
  [{ ...least, listen: { client: '443' } }, ['listen.client']],
  [{ ...least, listen: { clients: '[::]:443' } }, ['listen.clients']],
  [{ ...least, listen: [] }, ['listen']],
  [{ ...most, listen: { federation: '[::]:8448', trust_page: '[::]:80' } }, ['listen.trust_page']],
  [{ ...least, federation: { residency: 'Germany' } }, ['federation.residency']],
  [{ ...least, time: { servers: 'a b; rm' } }, ['time.servers']],
  [{ ...least, time: { servers: [1] } }, ['time.servers']],
  [{ ...least, time: 7 }, ['time']],
  [{ ...least, network: { interfaces: [{ name: 'a b' }] } }, ['network.interfaces[0].name']],
  [{ ...least, server_name: 7, network: { dns: 1 } }, ['server_name', 'network.dns']],
  [{ ...most, peers: {} }, ['peers']],
  [{ ...most, peers: [{}] }, ['peers[0]']],
  [{ ...most, peers: [{ card: {}, fingerprint: 'a b c' }] }, ['peers[0].fingerprint']],
  [{ ...most, listen: {} }, ['listen.federation']],
]
for (const [json, fields] of wrong) {
  test(`refused, with the field named: ${JSON.stringify(json).slice(0, 700)}`, t => {
    const error = t.throws(() => parseSiteAnswers(json), { instanceOf: AnswersWrong })
    t.log(error.message)
    t.deepEqual(
      error.problems.map(({ field }) => field),
      [...fields],
    )
  })
}

test('whatever the file holds, it is taken or refused, and nothing else', t => {
  const part = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(most)))
  const file = fc.record(Object.fromEntries(Object.keys(most).map(key => [key, part])), { requiredKeys: [] })
  fc.assert(
    fc.property(file, json => {
      try {
        parseConfig(siteToml(parseSiteAnswers({ ...least, ...json }), '/d'), {})
      } catch (error) {
        if (!(error instanceof AnswersWrong)) throw error
      }
    }),
    { numRuns: 300 },
  )
  t.pass()
})

/** The server's certificate by the administration API, and `letro certificate` over it: the same acts as on the machine. */
import { X509Certificate } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { far } from '../../provisioning/certificate-server.ts'
import { makeCertificate } from '../../provisioning/renewal.ts'
import { connect } from '../../provisioning/server-connection.ts'
import { TlsFolder } from '../../provisioning/tls-folder.ts'
import { listenAtSocket } from '../../server/http/server.ts'
import { openHarness } from '../accounts/harness.ts'
import { OwnAuthority } from '../provisioning/own-authority.ts'
import { adminToken, startAdministered } from '../support/administered.ts'

const path = '/_letro/admin/v1/certificate'
const ca = new OwnAuthority()
const behind = ca.read('middle.pem')
/** Keys of 3072 bits take their time: made once. */
const made = (async () => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-tls-'))
  await new TlsFolder(folder).locked(() => makeCertificate(new TlsFolder(folder), ['a.example'], Date.now()))
  return folder
})()
test.after.always(async () => {
  ca.remove()
  await rm(await made, { recursive: true, force: true })
})

async function open(t: ExecutionContext) {
  const server = await startAdministered(
    t,
    '[server]\nname = "a.example"\norigin = "https://a.example"\n[tls]\nauthority = "own"',
  )
  const tls = join(server.dataFolder, 'tls')
  await cp(await made, tls, { recursive: true })
  const audit = async () =>
    (
      await server.call('GET', '/_letro/admin/v1/audit?order=newest&action=certificate', {
        token: adminToken,
      })
    ).body.entries
  return {
    server,
    audit,
    ask: async (method: string, of = '', body?: object) =>
      server.call(method, `${path}${of}`, { token: adminToken, ...(body ? { body } : {}) }),
    leaf: async () => new X509Certificate(await readFile(join(tls, 'certificate.pem'))),
    files: async () =>
      Object.fromEntries(
        await Promise.all(
          (await readdir(tls)).map(async name => [name, await readFile(join(tls, name), 'utf8')] as const),
        ),
      ),
  }
}

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

test('status, renewal, a request, what came of it, and files for device management', async t => {
  const { ask, leaf, audit } = await open(t)
  const first = await leaf()
  const { body: status } = await ask('GET')
  t.like(status, { kept: true, complaints: [], certificate: { own: true, names: ['a.example'] } })
  t.is(status.authority.has_key, true)
  t.false(JSON.stringify(status).includes('PRIVATE KEY'))

  const renewed = await ask('POST', '/renew', {})
  t.is(renewed.body.state, 'in-use')
  t.is((await leaf()).fingerprint256, renewed.body.fingerprint_sha256)
  t.not((await leaf()).fingerprint256, first.fingerprint256)

  const { body: mdm } = await ask('GET', '/mdm')
  const profile = mdm.files.find(({ name }: { name: string }) => name === 'a.example-authority.mobileconfig')
  t.regex(Buffer.from(profile.content, 'base64').toString(), /com\.apple\.security\.root/)

  const { body: request } = await ask('POST', '/request', { organisation: 'Klinik', country: 'DE' })
  t.is(request.file_name, 'a.example.csr')
  const file = base64(ca.leaf({ request: request.csr }).certificate + behind)
  const checked = await ask('POST', '/check', { file })
  t.like(checked.body, { names: ['a.example'], new_key: false })
  t.is((await leaf()).fingerprint256, renewed.body.fingerprint_sha256, 'looking changes nothing')
  const taken = await ask('POST', '/import', { file })
  t.is(taken.body.state, 'in-use')
  t.is((await leaf()).fingerprint256, checked.body.fingerprint_sha256)
  const [imported, asked, renewal] = await audit()
  t.like(imported, { actor: 'token', action: 'certificate.import' })
  t.is(imported.detail.fingerprint_sha256, taken.body.fingerprint_sha256)
  t.is(asked.action, 'certificate.request')
  t.is(renewal.action, 'certificate.renew')
  const late = await ask('POST', '/renew', {})
  t.is(late.status, 400)
  t.regex(late.body.error, /only who issued it can renew it/)
})

test('who brought a certificate in is who the audit names for it', async t => {
  const { server, ask } = await open(t)
  const { body } = await ask('POST', '/renew', {})
  await server.app.noteCertificate({ fingerprint256: body.fingerprint_sha256, notAfterMs: body.not_after_ts })
  const noted = await server.call('GET', '/_letro/admin/v1/audit?order=newest&action=site.certificate', {
    token: adminToken,
  })
  t.is(noted.body.entries[0].actor, 'token')
})

test('PKCS #12 is asked for its passphrase, and taken with it', async t => {
  const { ask, leaf, files } = await open(t)
  const made = ca.leaf()
  ca.write('p.pem', made.certificate + behind + made.key)
  ca.openssl('pkcs12', '-export', '-in', 'p.pem', '-out', 'p.p12', '-passout', 'pass:geheim')
  const file = base64(await readFile(join(ca.folder, 'p.p12')))
  const before = await files()
  const without = await ask('POST', '/import', { file })
  t.is(without.body['org.letro.reason'], 'PASSPHRASE_NEEDED')
  const wrong = await ask('POST', '/import', { file, passphrase: 'falsch' })
  t.regex(wrong.body.error, /passphrase does not open/)
  t.deepEqual(await files(), before)
  t.is((await ask('POST', '/import', { file, passphrase: 'geheim' })).body.state, 'in-use')
  t.is((await leaf()).fingerprint256, new X509Certificate(made.certificate).fingerprint256)
})

test('what will not do is refused with every reason, changes nothing, and is not in the audit', async t => {
  const { ask, files, audit } = await open(t)
  const before = await files()
  const { certificate, key } = ca.leaf({ names: 'DNS:b.example', days: 3000 })
  const refused = await ask('POST', '/import', { file: base64(certificate + behind), key })
  t.is(refused.status, 400)
  t.is(refused.body['org.letro.reason'], 'CERTIFICATE_REFUSED')
  t.deepEqual(
    refused.body.complaints.map(({ code }: { code: string }) => code),
    ['OTHER_NAME', 'TOO_LONG'],
  )
  t.is((await ask('POST', '/import', { file: base64(ca.leaf().certificate) })).status, 400, 'without its key')
  t.is((await ask('POST', '/import', { file: base64('nonsense') })).status, 400)
  t.is((await ask('POST', '/import', {})).status, 400)
  t.is((await ask('POST', '/request', { country: 'Germany' })).status, 400)
  t.deepEqual(await files(), before)
  t.deepEqual(await audit(), [])
})

test('where the server keeps no certificate, that is said', async t => {
  const server = await startAdministered(t)
  t.deepEqual((await server.call('GET', path, { token: adminToken })).body, { kept: false })
  const refused = await server.call('POST', `${path}/renew`, { token: adminToken, body: {} })
  t.is(refused.body['org.letro.reason'], 'NOT_KEPT')
})

for (const [method, of, body] of [
  ['POST', '/renew', {}],
  ['POST', '/request', { new_key: true }],
  ['POST', '/import', { file: 'AA==' }],
] as const) {
  test(`a session alone is not enough: ${method} ${of}`, async t => {
    const certificates = { isKept: true, run: () => Promise.reject(new Error('it ran')), note: () => {} }
    const h = await openHarness({ asksToConfirm: true, certificate: { certificates, audit: async () => {} } })
    const root = await h.administrator()
    t.is((await h.call(method, `${path}${of}`, body, root.token)).status, 401)
    t.is((await h.get(path, (await h.member('alice')).token)).status, 403)
    await h.close()
  })
}

test('letro certificate from elsewhere does the same', async t => {
  const { server, leaf } = await open(t)
  const socket = await listenAtSocket(server.app.localListener, join(server.dataFolder, 'admin.sock'))
  const folder = await mkdtemp(join(tmpdir(), 'letro-far-'))
  t.teardown(async () => {
    await socket.close(0)
    await rm(folder, { recursive: true, force: true })
  })
  const connection = await connect({ data: server.dataFolder })
  t.regex((await far.show(connection, {}, undefined)).text, /^Certificate {4}for a\.example/)
  t.is((await far.renew(connection, {}, undefined)).answer['state'], 'in-use')
  await far.mdm(connection, { out: join(folder, 'mdm') }, undefined)
  t.is((await readdir(join(folder, 'mdm'))).length, 8)
  const csr = join(folder, 'a.csr')
  await far.request(connection, { out: csr }, undefined)
  const pem = join(folder, 'a.pem')
  await writeFile(pem, ca.leaf({ request: await readFile(csr, 'utf8') }).certificate + behind)
  t.is((await far.bring(connection, {}, pem)).answer['state'], 'in-use')
  t.regex((await leaf()).issuer, /Klinik Issuing/)
  await t.throwsAsync(far.renew(connection, {}, undefined), { message: /only who issued it can renew it/ })
})

/** The appliance's own authority and certificate, as `node:crypto`, OpenSSL and a TLS connection see them. */
import { execFile } from 'node:child_process'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { issueAuthority, issueLeaf, NameNotPermitted, newKey } from '../../provisioning/certificate.ts'

const script = join(import.meta.dirname, '../../provisioning/make-certificate.ts')
const now = Date.now()
const dayMs = 24 * 60 * 60 * 1000
/** One for all tests: a key of 3072 bits takes its time. */
const authority = issueAuthority(['a.example', '127.0.0.1'], now)
const key = newKey()

async function make(t: ExecutionContext, ...names: string[]) {
  const folder = join(await mkdtemp(join(tmpdir(), 'letro-tls-')), 'tls')
  t.teardown(() => rm(join(folder, '..'), { recursive: true, force: true }))
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [script, 'make', folder, String(now), ...args])
  await run(...names)
  const file = (name: string) => readFile(join(folder, name), 'utf8')
  return { folder, run, file }
}

/** Why a client that trusts the authority refuses the certificate; null: it does not. */
async function refusal(certificate: string, ca: string, servername: string): Promise<string | null> {
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, socket => socket.end())
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const socket = connect({ host: '127.0.0.1', port, servername, ca })
    const failed = once(socket, 'error').then(([error]) => (error as Error).message)
    const done = once(socket, 'secureConnect').then(() => null)
    const result = await Promise.race([failed, done])
    socket.destroy()
    return result
  } finally {
    server.close()
  }
}

test('the certificate is for the names that were given, for a server, for 397 days at most', t => {
  const leaf = new X509Certificate(issueLeaf(authority, key, ['a.example', '127.0.0.1'], now))
  t.is(leaf.subjectAltName, 'DNS:a.example, IP Address:127.0.0.1')
  t.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  t.false(leaf.ca)
  const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / dayMs
  t.true(days <= 398 && days > 390)
  t.true(Date.parse(leaf.validFrom) < now)
  const above = new X509Certificate(authority.certificate)
  t.true(above.ca)
  t.true(leaf.checkIssued(above) && leaf.verify(above.publicKey))
})

test('a client that trusts the authority accepts this server, and no certificate for another name', async t => {
  const ours = issueLeaf(authority, key, ['a.example'], now)
  t.is(await refusal(ours, authority.certificate, 'a.example'), null)
  t.is(
    await refusal(ours, authority.certificate, 'b.example'),
    "Hostname/IP does not match certificate's altnames: Host: b.example. is not in the cert's altnames: DNS:a.example",
  )
})

test('the authority cannot vouch for another server, even if somebody makes it sign', async t => {
  t.throws(() => issueLeaf(authority, key, ['b.example'], now), {
    instanceOf: NameNotPermitted,
    message: 'The authority vouches for a.example, 127.0.0.1 only, not for b.example.',
  })
  t.throws(() => issueLeaf(authority, key, ['127.0.0.2'], now), { instanceOf: NameNotPermitted })
  t.notThrows(() => issueLeaf(authority, key, ['chat.a.example'], now))
  // A twin with the same name and key, and another constraint: what it signs, our authority has signed.
  const twin = issueAuthority(['b.example'], now, authority.key)
  const forged = issueLeaf(twin, key, ['b.example'], now)
  t.is(await refusal(forged, twin.certificate, 'b.example'), null)
  t.is(await refusal(forged, authority.certificate, 'b.example'), 'permitted subtree violation')
})

test('an authority whose key is another one’s issues nothing', t => {
  const mixed = { certificate: authority.certificate, key: newKey() }
  t.throws(() => issueLeaf(mixed, key, ['a.example'], now), { message: /not that of its certificate/ })
})

test('all files are there for their own user alone, and fit together', async t => {
  const { folder, file } = await make(t, 'A.Example', '[::1]')
  t.deepEqual((await readdir(folder)).sort(), [
    'authority-key.pem',
    'authority.pem',
    'certificate.pem',
    'key.pem',
  ])
  t.is((await stat(folder)).mode & 0o777, 0o700)
  for (const name of await readdir(folder)) t.is((await stat(join(folder, name))).mode & 0o777, 0o600, name)
  const chain = await file('certificate.pem')
  const leaf = new X509Certificate(chain)
  t.is(leaf.subjectAltName, 'DNS:a.example, IP Address:0:0:0:0:0:0:0:1')
  t.true(leaf.checkPrivateKey(createPrivateKey(await file('key.pem'))))
  t.true(chain.endsWith(await file('authority.pem')))
})

test('made again: another certificate under the same key and the same authority', async t => {
  const { folder, run, file } = await make(t, 'a.example')
  const before = { authority: await file('authority.pem'), key: await file('key.pem') }
  const certificate = await file('certificate.pem')
  // As a crash before the last file leaves it.
  await rm(join(folder, 'certificate.pem'))
  await writeFile(join(folder, 'certificate.pem.new'), 'half of')
  await run('a.example')
  t.deepEqual({ authority: await file('authority.pem'), key: await file('key.pem') }, before)
  t.not(await file('certificate.pem'), certificate)
  const spki = (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('hex')
  t.is(spki(await file('certificate.pem')), spki(certificate))
})

test('what it cannot do it says in a sentence, and leaves what is there', async t => {
  const { run, file } = await make(t, 'a.example')
  const before = await file('certificate.pem')
  const failed = await t.throwsAsync<Error & { code: number; stderr: string }>(run('b.example'))
  t.is(failed.code, 4)
  t.is(failed.stderr, 'The authority vouches for a.example only, not for b.example.\n')
  t.is((await t.throwsAsync<Error & { code: number }>(run('not a name'))).code, 4)
  t.is((await t.throwsAsync<Error & { code: number }>(run())).code, 2)
  t.is(await file('certificate.pem'), before)
})

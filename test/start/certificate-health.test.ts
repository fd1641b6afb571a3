/** What health says about certificates as the days go by. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { makeCertificate } from '../../provisioning/renewal.ts'
import { TlsFolder } from '../../provisioning/tls-folder.ts'
import { openCertificateHealth } from '../../server/certificate-health.ts'
import type { Peer } from '../../server/peers/peer.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { OwnAuthority } from '../provisioning/own-authority.ts'

const dayMs = 24 * 60 * 60 * 1000
const own = mkdtempSync(join(tmpdir(), 'letro-health-'))
makeCertificate(new TlsFolder(own), ['a.example'], Date.now())
const kept = { certificate: join(own, 'certificate.pem'), key: join(own, 'key.pem') }
const ca = new OwnAuthority()
test.after.always(() => {
  rmSync(own, { recursive: true, force: true })
  ca.remove()
})

function opened(options: Partial<Parameters<typeof openCertificateHealth>[0]> = {}) {
  const health = openCertificateHealth({
    files: { people: kept, peers: kept, own },
    renewal: { failure: null },
    peers: () => [],
    peerEndsTs: () => undefined,
    ...options,
  })
  return async (daysFromNow: number) =>
    (await health.source(Date.now() + daysFromNow * dayMs)).map(({ code, severity, subject }) =>
      [code, severity, subject ?? ''].join(' ').trim(),
    )
}

test('ours: told at 60, 30 and 7 days, and when it is over', async t => {
  const at = opened()
  t.deepEqual(await at(0), [])
  t.deepEqual(await at(330), [])
  t.deepEqual(await at(337), ['certificate.expires note'])
  t.deepEqual(await at(367), ['certificate.expires warning'])
  t.deepEqual(await at(390), ['certificate.expires alarm'])
  t.deepEqual(await at(397), ['certificate.expired alarm'])
  t.deepEqual(await at(-2), ['certificate.not-yet-valid alarm'])
})

test('the private authority, twenty years on', async t => {
  const at = opened({ files: { people: kept, peers: null, own } })
  const years = 20 * 365
  t.true((await at(years - 59)).includes('certificate.authority-expires note'))
  t.true((await at(years - 5)).includes('certificate.authority-expires alarm'))
  t.true((await at(years + 1)).includes('certificate.authority-expired alarm'))
})

test('an intermediate authority that ends before the certificate counts', async t => {
  const folder = temporary(t)
  const { certificate, key } = ca.leaf({ days: 700 })
  const short = new OwnAuthority()
  t.teardown(() => short.remove())
  const ending = short.leaf({ days: 20 })
  const paths = {
    certificate: join(folder, 'c.pem'),
    key: join(folder, 'k.pem'),
  }
  writeFileSync(paths.certificate, certificate + ending.certificate)
  writeFileSync(paths.key, key)
  t.deepEqual(await opened({ files: { people: paths, peers: kept, own } })(0), [
    'certificate.expires warning people',
  ])
})

test('files that do not fit together, and a renewal that failed', async t => {
  const folder = temporary(t)
  const paths = { certificate: join(folder, 'c.pem'), key: join(folder, 'k.pem') }
  writeFileSync(paths.certificate, ca.leaf().certificate)
  writeFileSync(paths.key, ca.leaf().key)
  t.deepEqual(await opened({ files: { people: paths, peers: null, own: null } })(0), [
    'certificate.unreadable alarm people',
  ])
  t.deepEqual(await opened({ renewal: { failure: 'no space' } })(0), ['certificate.renewal-failed warning'])
})

test('peers: the authority that a pin names, and what is good by it alone; a pinned key has no end', async t => {
  const peer = {
    serverName: 'b.example' as ServerName,
    kind: 'homeserver',
    suspended: false,
    transport: 'https',
    tls: { spkiSha256: [], ca: ca.read('root.pem') },
  } as unknown as Peer
  const inDays = (days: number) => Date.now() + days * dayMs
  const at = opened({ peers: () => [peer], peerEndsTs: () => inDays(40) })
  t.deepEqual(await at(0), ['certificate.peer-expires note b.example'])
  t.deepEqual(await at(41), ['certificate.peer-expired alarm b.example'])
  t.deepEqual(await opened({ peers: () => [peer] })(0), [])
  t.deepEqual(
    (await opened({ peers: () => [peer] })(3649)).at(-1),
    'certificate.peer-expires alarm b.example',
  )
  const pinned = { ...peer, tls: { spkiSha256: ['x'] } }
  t.deepEqual(await opened({ peers: () => [pinned] })(0), [])
  t.deepEqual(await opened({ peers: () => [{ ...peer, suspended: true }], peerEndsTs: () => 0 })(0), [])
})

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'letro-health-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

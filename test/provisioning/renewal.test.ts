/** Renewing by the private authority: when, under which key, and what a crash at each step leaves. */
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { newKey } from '../../provisioning/certificate.ts'
import { issueCertificate, makeAuthority } from '../../provisioning/certificate-issue.ts'
import { permittedNames } from '../../provisioning/certificate-names.ts'
import { FolderLocked } from '../../provisioning/folder-lock.ts'
import { announceKey, makeCertificate, renewCertificate } from '../../provisioning/renewal.ts'
import { TlsFolder } from '../../provisioning/tls-folder.ts'
import { readTlsFiles } from '../../server/tls-files.ts'
import { OwnAuthority } from './own-authority.ts'

const dayMs = 24 * 60 * 60 * 1000
const start = Date.UTC(2026, 10, 21)
const names = ['a.example', 'chat.a.example']

/** Made once: keys of 3072 bits take their time. */
const made = mkdtempSync(join(tmpdir(), 'letro-renewal-'))
makeCertificate(new TlsFolder(made), names, start)
const files = ['authority.pem', 'authority-key.pem', 'key.pem', 'certificate.pem'] as const
const another = newKey()
test.after.always(() => rmSync(made, { recursive: true, force: true }))

function folder(t: ExecutionContext): TlsFolder {
  const path = mkdtempSync(join(tmpdir(), 'letro-renewal-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  for (const file of files) writeFileSync(join(path, file), readFileSync(join(made, file)))
  return new TlsFolder(path)
}

/** As the server takes it. */
function used(at: TlsFolder) {
  const material = readTlsFiles({
    certificate: join(at.path, 'certificate.pem'),
    key: join(at.path, 'key.pem'),
  })
  return { ...material, leaf: new X509Certificate(material.certificate) }
}

test('at two thirds of its life, and not a day before, it is renewed under the same key for the same names', t => {
  const at = folder(t)
  const first = used(at)
  t.is(renewCertificate(at, names, start + 262 * dayMs), null)
  t.is(renewCertificate(at, names, start + 265 * dayMs), 'renewed')
  const second = used(at)
  t.not(second.leaf.fingerprint256, first.leaf.fingerprint256)
  t.is(second.spkiSha256, first.spkiSha256)
  t.is(second.leaf.subjectAltName, 'DNS:a.example, DNS:chat.a.example')
  t.is(renewCertificate(at, names, start + 265 * dayMs), null, 'once')
})

test('ten years of looking every day: it is never without a good certificate, and the key stays', t => {
  const at = folder(t)
  const key = used(at).spkiSha256
  let renewals = 0
  for (let now = start; now < start + 10 * 365 * dayMs; now += 30 * dayMs) {
    if (renewCertificate(at, names, now)) renewals++
    const { notAfterMs, notBeforeMs, spkiSha256 } = used(at)
    t.true(notBeforeMs <= now && now + 60 * dayMs < notAfterMs)
    t.is(spkiSha256, key)
  }
  t.true(renewals >= 12 && renewals <= 14, String(renewals))
})

test('issued by a clock that was a year ahead, it is issued again when the clock is right', t => {
  const at = folder(t)
  t.is(renewCertificate(at, names, start + 365 * dayMs), 'renewed')
  t.true(used(at).notBeforeMs > start)
  t.is(renewCertificate(at, names, start), 'renewed')
  t.true(used(at).notBeforeMs < start)
})

test('a new name is in the certificate after the next start, where the authority permits it', t => {
  const at = folder(t)
  t.false(makeCertificate(at, names, start))
  t.true(makeCertificate(at, [...names, 'files.a.example'], start))
  t.regex(used(at).leaf.subjectAltName!, /files\.a\.example/)
  const before = used(at).leaf.fingerprint256
  const error = t.throws(() => makeCertificate(at, [...names, 'b.example'], start))
  t.regex(error.message, /vouches for a\.example, chat\.a\.example only, not for b\.example/)
  t.is(used(at).leaf.fingerprint256, before)
})

test('a key that was announced is named beside the one in use, and its certificate takes over after a week', t => {
  const at = folder(t)
  const first = used(at)
  const site = { folder: at, names, isPinned: true }
  const { next, certificate } = issueCertificate(site, names, { newKey: true }, start)
  t.is(certificate, null)
  t.deepEqual(used(at).otherSpkiSha256, [next!.spkiSha256])
  t.is(renewCertificate(at, names, start), null)
  t.is(renewCertificate(at, names, start + 7 * dayMs - 1), null)
  t.is(used(at).leaf.fingerprint256, first.leaf.fingerprint256)
  t.is(renewCertificate(at, names, start + 7 * dayMs), 'key-changed')
  t.is(used(at).spkiSha256, next!.spkiSha256)
  t.deepEqual(used(at).otherSpkiSha256, [])
})

test('a server that was off for the week names the key for a week before it uses it', t => {
  const at = folder(t)
  issueCertificate({ folder: at, names, isPinned: true }, names, { newKey: true }, start)
  t.is(renewCertificate(at, names, start + 30 * dayMs), null)
  t.is(renewCertificate(at, names, start + 37 * dayMs), 'key-changed')
})

test('the old certificate ends before the week is over: the change comes a day before that', t => {
  const at = folder(t)
  const end = used(at).notAfterMs
  // Of another authority, so that nothing renews it meanwhile.
  at.keepAside('authority.pem', 'authority-before.pem')
  announceKey(at, another, leafFor(t, another))
  t.is(renewCertificate(at, names, end - 3 * dayMs), null)
  t.is(renewCertificate(at, names, end - dayMs), 'key-changed')
})

test('a requested certificate that never came keeps nothing from being renewed', t => {
  const at = folder(t)
  announceKey(at, another, null)
  t.is(renewCertificate(at, names, start + 100 * dayMs), null)
  const { spkiSha256 } = used(at)
  t.is(renewCertificate(at, names, start + 265 * dayMs), 'renewed')
  t.is(used(at).spkiSha256, spkiSha256)
  t.is(used(at).otherSpkiSha256.length, 1)
})

/** What lies there when the power goes at each step; the certificate in use stays good, and the next runs go on. */
const crashes: readonly (readonly [string, (at: TlsFolder) => void])[] = [
  ['key added, next.json not written', at => at.writeKeys([at.keyInUse()!, another])],
  [
    'next.json names a key that is not there',
    at => at.writeNext({ spkiSha256: 'nobody’s', certificate: null, publishedTs: 0 }),
  ],
  [
    'half a certificate beside the whole one',
    at => writeFileSync(join(at.path, 'certificate.pem.new'), 'half of'),
  ],
]
for (const [title, cutOff] of crashes) {
  test(`cut off: ${title}`, t => {
    const at = folder(t)
    const { spkiSha256 } = used(at)
    cutOff(at)
    t.is(used(at).spkiSha256, spkiSha256)
    renewCertificate(at, names, start + 30 * dayMs)
    t.is(used(at).spkiSha256, spkiSha256)
    t.is(renewCertificate(at, names, start + 265 * dayMs), 'renewed')
    t.is(used(at).spkiSha256, spkiSha256)
  })
}

test('cut off after the change of key: the next run tidies up', t => {
  const at = folder(t)
  issueCertificate({ folder: at, names, isPinned: true }, names, { newKey: true }, start)
  const next = { ...at.next()!, publishedTs: start }
  at.writeNext(next)
  at.writeChain(next.certificate!)
  t.is(used(at).spkiSha256, next.spkiSha256)
  t.is(renewCertificate(at, names, start + 8 * dayMs), 'key-changed')
  t.is(at.next(), null)
  t.deepEqual(used(at).otherSpkiSha256, [])
})

test('a new authority: the old certificate stays in use until one is issued, which then renews itself', t => {
  const at = folder(t)
  const before = used(at)
  const authority = makeAuthority(at, names, start)
  t.is(used(at).leaf.fingerprint256, before.leaf.fingerprint256)
  t.is(renewCertificate(at, names, start + 6 * dayMs), null)
  issueCertificate({ folder: at, names, isPinned: true }, names, {}, start)
  t.true(used(at).leaf.checkIssued(authority))
  t.is(used(at).spkiSha256, before.spkiSha256, 'who pinned the key notices nothing')
  t.is(renewCertificate(at, names, start + 265 * dayMs), 'renewed')
})

test('an authority without constraints, or whose key is not here, issues nothing', t => {
  const at = folder(t)
  const ca = new OwnAuthority()
  t.teardown(() => ca.remove())
  ca.openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'free.key',
    '-out',
    'free.pem',
    '-days',
    '300',
    '-subj',
    '/CN=free',
  )
  at.writeAuthority({ certificate: ca.read('free.pem'), key: ca.read('free.key') })
  const site = { folder: at, names, isPinned: false }
  t.regex(
    t.throws(() => issueCertificate(site, names, {}, start)).message,
    /could vouch for any name in the world/,
  )
  rmSync(join(at.path, 'authority-key.pem'))
  t.regex(t.throws(() => issueCertificate(site, names, {}, start)).message, /Put authority-key\.pem back/)
})

test('constraints count only where they are critical and leave nothing out', t => {
  const ca = new OwnAuthority()
  t.teardown(() => ca.remove())
  const permitted = (constraints: string) => {
    const subject = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'x.key', '-out', 'x.pem', '-subj', '/CN=x']
    ca.openssl('req', '-x509', ...subject, '-addext', `nameConstraints=${constraints}`)
    return permittedNames(ca.read('x.pem'))
  }
  const noAddress = 'excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::'
  t.deepEqual(permitted(`critical,permitted;DNS:a.example,${noAddress}`), ['a.example'])
  t.is(permitted(`permitted;DNS:a.example,${noAddress}`), null, 'a remark that programs may pass over')
  t.is(permitted('critical,permitted;DNS:a.example'), null, 'every address')
  t.is(permitted('critical,permitted;DNS:a.example,excluded;IP:0.0.0.0/0.0.0.0'), null, 'every IPv6 address')
  t.is(permitted(`critical,${noAddress}`), null, 'every name')
})

test('a certificate of another authority whose key is lost is not replaced by one of ours', t => {
  const at = folder(t)
  at.keepAside('authority.pem', 'authority-before.pem')
  at.writeKeys([another])
  const before = at.chain()
  t.regex(t.throws(() => makeCertificate(at, names, start)).message, /Put the key back from a backup/)
  t.is(at.chain(), before)
})

test('one at a time; the lock of a process that is no more is taken over', async t => {
  const at = folder(t)
  const file = join(at.path, 'lock')
  await at.locked(async () => {
    const error = await t.throwsAsync(
      at.locked(() => t.fail()),
      { instanceOf: FolderLocked },
    )
    t.regex(error.message, new RegExp(`process ${process.pid}\\)`))
  })
  t.false(existsSync(file))
  await t.throwsAsync(at.locked(() => Promise.reject(new Error('no space'))))
  t.false(existsSync(file))
  const gone = spawnSync(process.execPath, ['--version']).pid
  for (const left of [String(gone), '', 'nonsense']) {
    writeFileSync(file, left)
    t.is(await at.locked(() => readFileSync(file, 'utf8')), String(process.pid))
  }
})

test('an authority that has ended says so', t => {
  const at = folder(t)
  const message = t.throws(() => renewCertificate(at, names, start + 21 * 365 * dayMs)).message
  t.regex(message, /good until .* letro certificate authority --replace/)
})

function leafFor(t: ExecutionContext, key: string): string {
  const ca = new OwnAuthority()
  t.teardown(() => ca.remove())
  ca.write('k', key)
  ca.openssl('req', '-new', '-key', 'k', '-out', 'k.csr', '-subj', '/CN=x')
  return ca.leaf({ request: ca.read('k.csr') }).certificate
}

test('an authority that was replaced: the certificate changes to the new one by itself, a week later, under the same key', t => {
  const at = folder(t)
  const first = used(at)
  const made = makeAuthority(at, names, start + 10 * dayMs)
  t.is(renewCertificate(at, names, start + 17 * dayMs - 1), null)
  t.is(used(at).leaf.fingerprint256, first.leaf.fingerprint256)
  t.is(renewCertificate(at, names, start + 17 * dayMs), 'renewed')
  t.true(used(at).leaf.checkIssued(made))
  t.is(used(at).spkiSha256, first.spkiSha256)
  t.is(renewCertificate(at, names, start + 17 * dayMs), null, 'once')
})

test('replaced two days before the old certificate ends: the change comes a day before that', t => {
  const at = folder(t)
  const { notAfterMs } = used(at)
  const made = makeAuthority(at, names, notAfterMs - 2 * dayMs)
  t.is(renewCertificate(at, names, notAfterMs - 2 * dayMs), null)
  t.is(renewCertificate(at, names, notAfterMs - dayMs), 'renewed')
  t.true(used(at).leaf.checkIssued(made))
})

test('replaced twice within the week: the certificate in use still changes to the last one', t => {
  const at = folder(t)
  makeAuthority(at, names, start)
  const last = makeAuthority(at, names, start + dayMs)
  t.is(renewCertificate(at, names, start + 7 * dayMs), null)
  t.is(renewCertificate(at, names, start + 8 * dayMs), 'renewed')
  t.true(used(at).leaf.checkIssued(last))
})

test('a start does not leave a certificate of the old authority that has ended, or is for too few names', t => {
  const at = folder(t)
  const made = makeAuthority(at, [...names, 'b.example'], start)
  t.false(makeCertificate(at, names, start + dayMs))
  t.true(makeCertificate(at, [...names, 'b.example'], start + dayMs))
  t.true(used(at).leaf.checkIssued(made))
})

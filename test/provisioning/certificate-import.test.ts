/** Bringing a certificate of the organisation's own authority: what is taken, and every reason to refuse. */
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ChainRefused, remarksAbout } from '../../provisioning/certificate-chain.ts'
import { importCertificate } from '../../provisioning/certificate-import.ts'
import { type CertificateSite, certificateSite } from '../../provisioning/certificate-site.ts'
import { CommandFailed } from '../../provisioning/command-failed.ts'
import { renewCertificate } from '../../provisioning/renewal.ts'
import { readTlsFiles } from '../../server/tls-files.ts'
import { type LeafOptions, OwnAuthority } from './own-authority.ts'

const ca = new OwnAuthority()
const stranger = new OwnAuthority()
const middle = ca.read('middle.pem')
const root = ca.read('root.pem')
const dayMs = 24 * 60 * 60 * 1000
test.after.always(() => {
  ca.remove()
  stranger.remove()
})

/** A server that was started, with peers or without. */
function site(
  t: ExecutionContext,
  isPinned = false,
): CertificateSite & { data: string; put(name: string, text: string | Buffer): string } {
  const data = mkdtempSync(join(tmpdir(), 'letro-import-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  mkdirSync(join(data, 'keys'))
  const card = {
    server_name: 'a.example',
    origins: ['https://a.example'],
    address: { host: 'a.example', port: 8448 },
    keys: { tls: isPinned ? [{ spki_sha256: 'x' }] : [] },
  }
  writeFileSync(join(data, 'keys', 'site-card.json'), JSON.stringify(card))
  return {
    ...certificateSite(data),
    data,
    put: (name, text) => {
      writeFileSync(join(data, name), text)
      return join(data, name)
    },
  }
}

const tlsOf = (at: CertificateSite) =>
  readTlsFiles({ certificate: join(at.folder.path, 'certificate.pem'), key: join(at.folder.path, 'key.pem') })

async function refusal(
  t: ExecutionContext,
  at: CertificateSite,
  file: string,
  options: object = {},
): Promise<string[]> {
  const before = filesOf(at)
  const error = await t.throwsAsync(importCertificate(at, file, options, Date.now()))
  t.deepEqual(filesOf(at), before, 'a refusal changes nothing')
  if (error instanceof ChainRefused) {
    t.log(error.message)
    return error.complaints.map(({ code }) => code)
  }
  t.true(error instanceof CommandFailed, String(error?.stack))
  return [(error as CommandFailed).message]
}

function filesOf(at: CertificateSite): Record<string, string> {
  const { path } = at.folder
  const names = (() => {
    try {
      return readdirSync(path)
    } catch {
      return []
    }
  })()
  return Object.fromEntries(names.map(name => [name, readFileSync(join(path, name), 'utf8')]))
}

test('PEM with key and chain, in whatever order, is taken and put in order', async t => {
  const at = site(t)
  const { certificate, key } = ca.leaf()
  const done = await importCertificate(
    at,
    at.put('all.pem', root + key + middle + certificate),
    {},
    Date.now(),
  )
  t.is(done.state, 'in-use')
  t.true(done.sorted)
  const { certificate: chain, spkiSha256 } = tlsOf(at)
  t.is(chain, certificate + middle + root)
  t.is(spkiSha256, readTlsFiles({ certificate: at.put('c', certificate), key: at.put('k', key) }).spkiSha256)
  t.false((await importCertificate(at, at.put('again.pem', certificate + middle), {}, Date.now())).sorted)
})

for (const [title, newKey, args] of [
  ['RSA, as OpenSSL 3 encrypts', ['-newkey', 'rsa:2048'], []],
  ['an elliptic curve', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], []],
  [
    'RSA, as Windows of old encrypts',
    ['-newkey', 'rsa:2048'],
    ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
  ],
] as const) {
  test(`PKCS #12 with a passphrase: ${title}`, async t => {
    const at = site(t)
    const { certificate, key } = ca.leaf({ newKey })
    at.put('leaf.pem', certificate)
    at.put('leaf.key', key)
    at.put('middle.pem', middle)
    ca.openssl(
      'pkcs12',
      '-export',
      '-inkey',
      join(at.data, 'leaf.key'),
      '-in',
      join(at.data, 'leaf.pem'),
      '-certfile',
      join(at.data, 'middle.pem'),
      '-passout',
      'pass:grüße',
      '-out',
      join(at.data, 'server.p12'),
      ...args,
    )
    const file = join(at.data, 'server.p12')
    const passphraseFile = at.put('pass.txt', 'grüße\n')
    const wrong = await refusal(t, at, file, { passphraseFile: at.put('wrong.txt', 'grusse') })
    t.regex(wrong[0]!, /passphrase does not open/)
    t.regex((await refusal(t, at, file))[0]!, /--passphrase-file FILE or --passphrase-fd/)
    t.is((await importCertificate(at, file, { passphraseFile }, Date.now())).state, 'in-use')
    t.is(tlsOf(at).certificate, certificate + middle)
    const cut = at.put('cut.p12', readFileSync(file).subarray(0, 700))
    t.regex((await refusal(t, at, cut, { passphraseFile }))[0]!, /cut off or damaged/)
  })
}

test('an encrypted PEM key beside the certificate', async t => {
  const at = site(t)
  const { certificate, key } = ca.leaf()
  const plain = at.put('plain.key', key)
  ca.openssl('pkcs8', '-topk8', '-in', plain, '-passout', 'pass:secret', '-out', join(at.data, 'locked.key'))
  const file = at.put('chain.pem', certificate + middle)
  const locked = join(at.data, 'locked.key')
  t.regex(
    (await refusal(t, at, file, { key: locked, passphraseFile: at.put('p', 'no') }))[0]!,
    /does not open the private key/,
  )
  await importCertificate(at, file, { key: locked, passphraseFile: at.put('p', 'secret') }, Date.now())
  t.false(readFileSync(join(at.folder.path, 'key.pem'), 'utf8').includes('ENCRYPTED'))
})

const wrong: readonly (readonly [string, string, LeafOptions, (pem: string) => string])[] = [
  ['expired', 'EXPIRED', { from: '20240101000000Z', until: '20240601000000Z' }, pem => pem + middle],
  [
    'not yet valid',
    'NOT_YET_VALID',
    { from: '20980101000000Z', until: '20980601000000Z' },
    pem => pem + middle,
  ],
  ['for another name', 'OTHER_NAME', { names: 'DNS:b.example' }, pem => pem + middle],
  ['for no name', 'OTHER_NAME', { names: '' }, pem => pem + middle],
  ['for clients only', 'NOT_FOR_SERVERS', { extra: 'extendedKeyUsage=clientAuth' }, pem => pem + middle],
  ['an authority’s', 'NOT_FOR_SERVERS', { extra: 'basicConstraints=critical,CA:true' }, pem => pem + middle],
  ['a weak key', 'WEAK_KEY', { newKey: ['-newkey', 'rsa:1024'] }, pem => pem + middle],
  [
    'a curve that no browser takes',
    'WEAK_KEY',
    { newKey: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] },
    pem => pem + middle,
  ],
  ['signed with SHA-1', 'WEAK_SIGNATURE', { digest: '-sha1' }, pem => pem + middle],
  ['good for too long', 'TOO_LONG', { days: 3000 }, pem => pem + middle],
  ['a chain of strangers', 'WRONG_CHAIN', {}, pem => pem + stranger.read('middle.pem')],
]
for (const [title, code, options, chain] of wrong) {
  test(`refused: ${title}`, async t => {
    const at = site(t)
    const { certificate, key } = ca.leaf(options)
    t.deepEqual(await refusal(t, at, at.put('chain.pem', key + chain(certificate))), [code])
  })
}

test('a wildcard is for the name; two reasons to refuse are told at once', async t => {
  const at = site(t)
  const one = ca.leaf({ names: 'DNS:*.a.example' })
  await importCertificate(
    { ...at, names: ['chat.a.example'] },
    at.put('w.pem', one.key + one.certificate + middle),
    {},
    Date.now(),
  )
  const two = ca.leaf({ names: 'DNS:b.example', from: '20240101000000Z', until: '20240601000000Z' })
  t.deepEqual(await refusal(t, at, at.put('two.pem', two.key + two.certificate + middle)), [
    'EXPIRED',
    'OTHER_NAME',
  ])
})

test('no key that fits, an authority alone, nothing at all, a damaged file, a huge one, none', async t => {
  const at = site(t)
  const { certificate } = ca.leaf()
  t.deepEqual(await refusal(t, at, at.put('a.pem', certificate + middle)), ['KEY_MISMATCH'])
  t.deepEqual(await refusal(t, at, at.put('b.pem', ca.leaf().key + certificate + middle)), ['KEY_MISMATCH'])
  t.deepEqual(await refusal(t, at, at.put('c.pem', middle + root)), ['AUTHORITY_ALONE'])
  t.deepEqual(await refusal(t, at, at.put('d.pem', '-----BEGIN NONSENSE-----\n')), ['NO_CERTIFICATE'])
  t.deepEqual(
    await refusal(t, at, at.put('e.pem', certificate.replace(/\n[^\n]+\n[^\n]+\n-----END/, '\n-----END'))),
    ['NO_CERTIFICATE'],
  )
  t.regex((await refusal(t, at, at.put('f.pem', Buffer.alloc(2_000_000)), {}))[0]!, /too large/)
  t.regex((await refusal(t, at, join(at.data, 'none.pem')))[0]!, /There is no file/)
  t.regex((await refusal(t, at, at.data))[0]!, /is no file/)
})

test('a new key waits a week while peers learn it, and then changes; the same key changes at once', async t => {
  const at = site(t, true)
  const first = ca.leaf()
  t.is(
    (await importCertificate(at, at.put('1.pem', first.key + first.certificate + middle), {}, Date.now()))
      .state,
    'in-use',
  )
  const second = ca.leaf()
  const done = await importCertificate(
    at,
    at.put('2.pem', second.key + second.certificate + middle),
    {},
    Date.now(),
  )
  t.is(done.state, 'waiting')
  const before = tlsOf(at)
  t.is(before.certificate, first.certificate + middle)
  t.is(before.otherSpkiSha256.length, 1, 'the card names both')

  const now = Date.now()
  t.is(renewCertificate(at.folder, ['a.example'], now), null, 'the server has told it only now')
  t.is(renewCertificate(at.folder, ['a.example'], now + 6.9 * dayMs), null)
  t.is(tlsOf(at).certificate, first.certificate + middle)
  t.is(renewCertificate(at.folder, ['a.example'], now + 7 * dayMs), 'key-changed')
  const after = tlsOf(at)
  t.is(after.certificate, second.certificate + middle)
  t.deepEqual([after.spkiSha256, after.otherSpkiSha256], [before.otherSpkiSha256[0], []])
  t.is(
    renewCertificate(at.folder, ['a.example'], now + 80 * dayMs),
    null,
    'of another authority: not ours to renew',
  )
})

test('what devices will not find out by themselves is remarked', async t => {
  const at = site(t)
  const { certificate, key } = ca.leaf()
  const alone = await importCertificate(at, at.put('alone.pem', key + certificate), {}, Date.now())
  t.regex(remarksAbout(alone).join(), /Nothing stands behind the certificate/)
  const subject = [
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    's.key',
    '-out',
    's.pem',
    '-subj',
    '/CN=x',
    '-days',
    '90',
  ]
  ca.openssl(
    'req',
    '-x509',
    ...subject,
    '-addext',
    'subjectAltName=DNS:a.example',
    '-addext',
    'basicConstraints=CA:false',
  )
  const self = await importCertificate(
    at,
    at.put('self.pem', ca.read('s.key') + ca.read('s.pem')),
    {},
    Date.now(),
  )
  t.regex(remarksAbout(self).join(), /signed by itself/)
})

test('--now, and a certificate in use that has ended, wait for nobody', async t => {
  const at = site(t, true)
  const first = ca.leaf()
  await importCertificate(at, at.put('1.pem', first.key + first.certificate + middle), {}, Date.now())
  const second = ca.leaf()
  const file = at.put('2.pem', second.key + second.certificate + middle)
  t.is((await importCertificate(at, file, { now: true }, Date.now())).state, 'in-use')
  t.deepEqual(tlsOf(at).otherSpkiSha256, [])
  const third = ca.leaf({ days: 300 })
  const late = Date.now() + 100 * dayMs
  const done = await importCertificate(
    at,
    at.put('3.pem', third.key + third.certificate + root.replace(root, middle)),
    {},
    late,
  )
  t.is(done.state, 'in-use')
})

test('as a process: request, sign elsewhere, import, show; the key never leaves the folder', async t => {
  const at = site(t)
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>(resolve => {
      const command = join(import.meta.dirname, '../../provisioning/letro.ts')
      execFile(
        process.execPath,
        [command, 'certificate', ...args, '--data', at.data],
        { cwd: at.data },
        (error, out, err) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
        },
      )
    })
  const asked = await run('request', '--organisation', 'Klinik Süd', '--country', 'DE')
  t.is(asked.code, 0, asked.err)
  const csr = readFileSync(join(at.data, 'a.example.csr'), 'utf8')
  at.put('read.csr', csr)
  const text = ca.openssl(
    'req',
    '-in',
    join(at.data, 'read.csr'),
    '-noout',
    '-text',
    '-verify',
    '-nameopt',
    'utf8',
  )
  t.regex(text, /O ?= ?Klinik Süd, CN ?= ?a\.example/)
  t.regex(text, /DNS:a\.example/)
  t.false(csr.includes('PRIVATE'))
  const { certificate } = ca.leaf({ request: csr })
  const refused = await run(
    'import',
    at.put('b.pem', ca.leaf({ request: csr, names: 'DNS:b.example' }).certificate + middle),
    '--json',
  )
  t.is(refused.code, 1)
  t.regex((JSON.parse(refused.err) as { error: string }).error, /is for b\.example/)
  const taken = await run('import', at.put('chain.pem', certificate + middle))
  t.is(taken.code, 0, taken.err)
  t.regex(taken.out, /tls\.authority = "organisation"/)
  const shown = await run('show')
  t.is(shown.code, 0, shown.out)
  t.true(shown.out.includes(new X509Certificate(certificate).fingerprint256.slice(0, 47)))
  t.regex(shown.out, /Renewal +by you/)
  writeFileSync(join(at.folder.path, 'key.pem'), ca.leaf().key)
  const broken = await run('show', '--json')
  t.is(broken.code, 1)
  t.regex(
    (JSON.parse(broken.out) as { complaints: string[] }).complaints[0]!,
    /does not belong to a key of this server/,
  )
  const renewed = await run('renew')
  t.is(renewed.code, 1)
  t.regex(renewed.err, /only who issued it can renew it/)
  t.is((await run('mdm')).code, 1)
  t.is((await run('import')).code, 2)
})

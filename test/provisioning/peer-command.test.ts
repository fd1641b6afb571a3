/** `letro peer` as a process, against a server that answers at the socket in its data folder. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listenAtSocket } from '../../server/http/server.ts'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import { fingerprintWords } from '../../server/protocol/fingerprint-words.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { type Harness, openHarness } from '../accounts/harness.ts'
import { authority } from '../peers/certificates.ts'
import { mustRead, seedOf, siteOf } from '../peers/site.ts'
import { sha256, signingKey } from '../support/primitives.ts'

const court = siteOf('court.example')
const first = court.card(1_700_000_000_000)
const second = court.card(1_700_000_100_000, { residency: 'FR' }, first)
const words = fingerprintWords(mustRead(first).rootKey, sha256)

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

const command = join(import.meta.dirname, '../../provisioning/letro.ts')

function letro(cwd: string, ...args: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    execFile(process.execPath, [command, 'peer', ...args], { cwd }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

async function open(t: ExecutionContext): Promise<{
  h: Harness
  data: string
  /** Writes a file into the folder in which the commands run. */
  file(name: string, content: object | string): Promise<string>
  run(...args: string[]): Promise<Outcome>
}> {
  const data = await mkdtemp(join(tmpdir(), 'letro-peer-'))
  const h = await openHarness()
  const socket = await listenAtSocket(h.localListener, join(data, 'admin.sock'))
  t.teardown(async () => {
    await socket.close(0)
    await h.close()
    await rm(data, { recursive: true, force: true })
  })
  return {
    h,
    data,
    file: async (name, content) => {
      await writeFile(join(data, name), typeof content === 'string' ? content : JSON.stringify(content))
      return name
    },
    run: (...args) => letro(data, ...args, '--data', data),
  }
}

test('a card is pinned, shown, replaced, suspended, resumed and removed', async t => {
  const { h, file, run } = await open(t)
  const none = await run('list')
  t.regex(none.out, /talks to nobody/)

  const pinned = await run('pin', await file('c.json', first), '--yes', '--note', 'the court')
  t.is(pinned.code, 0, pinned.err)
  t.regex(pinned.out, /court\.example is pinned\./)
  t.true(pinned.out.includes(words.slice(0, 4).join(' ')) && pinned.out.includes(words.slice(12).join(' ')))
  t.true(h.peers.book.maySendTo('court.example' as ServerName))

  const replaced = await run('pin', await file('d.json', second))
  t.is(replaced.code, 0, replaced.err)
  t.regex(
    replaced.out,
    /nothing to compare[\s\S]*serial 1700000000000\) was replaced by this one \(serial 1700000100000\)/,
  )

  h.peers.waiting.set('court.example', { length: 2, oldestTs: 0, lastError: 'ECONNREFUSED' })
  t.regex((await run('list')).out, /^court\.example {2}\(site, both ways, 2 waiting\)\n$/)
  const status = await run('status', 'court.example')
  t.regex(status.out, /Waiting +2, the oldest since 1970-01-01 00:00 UTC/)
  t.regex(status.out, /Last error +ECONNREFUSED/)
  t.regex(status.out, /Note +the court/)

  t.is((await run('change', 'court.example', '--direction', 'inbound')).code, 0)
  t.regex((await run('list')).out, /receives nothing/)
  t.is((await run('change', 'court.example')).code, 2)

  t.is((await run('suspend', 'court.example')).code, 0)
  t.regex((await run('list')).out, /SUSPENDED/)
  t.is((await run('resume', 'court.example')).code, 0)
  t.false(h.peers.book.get('court.example' as ServerName)?.suspended)

  t.is((await run('remove', 'court.example')).code, 2, 'nobody can be asked')
  t.true(h.peers.book.isKnown('court.example' as ServerName))
  t.is((await run('remove', 'court.example', '--yes')).code, 0)
  t.false(h.peers.book.isKnown('court.example' as ServerName))
  const gone = await run('suspend', 'court.example')
  t.is(gone.code, 1)
  t.regex(gone.err, /court\.example is not pinned/)
  const acts = (await h.accounts.audit.list({ limit: 100 })).filter(({ actor }) => actor === 'local')
  t.is(acts.length, 6)
})

test('a forged, older or truncated card: a sentence, exit code 1, nothing pinned', async t => {
  const { h, file, run } = await open(t)
  const forged = await run('pin', await file('f.json', { ...first, residency: 'US' }), '--yes')
  t.is(forged.code, 1)
  t.regex(forged.err, /f\.json is no card that can be used: its signature is wrong/)
  const cut = await run('pin', await file('t.json', JSON.stringify(first).slice(0, 200)), '--yes')
  t.is(cut.code, 1)
  t.regex(cut.err, /it is not whole/)
  t.deepEqual([...h.peers.book.pins()], [])

  await run('pin', await file('d.json', second), '--yes')
  const older = await run('pin', await file('c.json', first), '--yes')
  t.is(older.code, 1)
  t.regex(older.err, /older \(serial 1700000000000\) than the one that is known \(serial 1700000100000\)/)
  t.is(h.peers.book.pin('court.example' as ServerName)?.card?.serial, 1_700_000_100_000)
})

test('without a terminal and without --yes nothing is pinned', async t => {
  const { h, file, run } = await open(t)
  const { code, err } = await run('pin', await file('c.json', first))
  t.is(code, 2)
  t.regex(err, /--yes/)
  t.deepEqual([...h.peers.book.pins()], [])
})

test('a homeserver is pinned by key, and gets a new one by the same command', async t => {
  const { h, file, run } = await open(t)
  const key = (id: string) => `ed25519:${id}=${encodeBase64(signingKey(seedOf(id)).publicKey)}`
  const name = 'synapse.example' as ServerName
  const basic = ['pin', '--homeserver', name, '--key', key('a'), '--yes']
  const unreachable = await run(...basic)
  t.is(unreachable.code, 1)
  t.regex(unreachable.err, /address/)
  await file('ca.pem', authority)
  const pinned = await run(...basic, '--address', '127.0.0.1:8449', '--ca', 'ca.pem')
  t.is(pinned.code, 0, pinned.err + pinned.out)
  t.like(h.peers.book.get(name), { host: '127.0.0.1', port: 8449, tls: { ca: authority } })
  const rotated = await run('pin', '--homeserver', name, '--key', key('b'), '--yes', '--note', 'new')
  t.is(rotated.code, 0, rotated.err)
  t.regex(rotated.out, /pinned by its new key/)
  t.deepEqual([...(h.peers.book.get(name)?.signingKeys.keys() ?? [])].map(String), ['ed25519:a', 'ed25519:b'])
  t.is(h.peers.book.pin(name)?.row.note, 'new')
  t.is((await run('pin', '--homeserver', name, '--yes')).code, 2)
  t.is((await run('pin', '--homeserver', name, '--key', 'ed25519:a=AAAA', '--yes')).code, 2)
  t.is((await run('pin', '--yes')).code, 2)
})

test('our own card is written as a file and a QR code, with its words; the server need not run', async t => {
  const { h, data, run } = await open(t)
  t.is((await run('card')).code, 4)
  await mkdir(join(data, 'keys'))
  const ours = siteOf(h.accounts.serverName).card(1_700_000_000_000)
  await writeFile(join(data, 'keys', 'site-card.json'), `${JSON.stringify(ours)}\n`)
  const { code, out, err } = await run('card', '--qr', 'card.svg')
  t.is(code, 0, err)
  t.true(out.includes(fingerprintWords(mustRead(ours).rootKey, sha256).slice(4, 8).join(' ')))
  t.true(out.includes('▄') || out.includes('█'))
  const written = await readFile(join(data, `${h.accounts.serverName}.card.json`), 'utf8')
  t.deepEqual(JSON.parse(written), ours)
  t.regex(await readFile(join(data, 'card.svg'), 'utf8'), /<svg/)
})

test('our key is rotated, in the audit as a local act', async t => {
  const { h, run } = await open(t)
  const { code, out } = await run('rotate-key')
  t.is(code, 0)
  t.regex(out, /signed with ed25519:a_1 from now on/)
  const [entry] = (await h.accounts.audit.list({ limit: 100 })).slice(-1)
  t.like(entry, { actor: 'local', action: 'site.rotate-key' })
})

test('a server that does not run: nothing is left behind that would happen later', async t => {
  const data = await mkdtemp(join(tmpdir(), 'letro-peer-'))
  t.teardown(() => rm(data, { recursive: true, force: true }))
  await writeFile(join(data, 'c.json'), JSON.stringify(first))
  const { code, err } = await letro(data, 'list', '--data', data)
  t.is(code, 4)
  t.regex(err, /does not answer: nothing was changed/)
  t.deepEqual(await readdir(data), ['c.json'])
  t.is((await letro(data, 'list', '--data', join(data, 'none'))).code, 4)
  t.is((await letro(data, 'list')).code, 2)
})

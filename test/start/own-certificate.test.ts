/** People answered by the private authority's certificate: the whole server, and a client that trusts that authority alone. */
import { execFile, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type PeerCertificate } from 'node:tls'
import { promisify } from 'node:util'
import test from 'ava'
import { connect as connectLocally } from '../../provisioning/server-connection.ts'
import { parseConfig } from '../../server/config.ts'
import { makeOwnCertificate, openRenewal } from '../../server/own-certificate.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const root = join(import.meta.dirname, '../..')

test('tls.authority = "own": a first start, a client that trusts the authority, a renewal without a restart', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-own-'))
  const [port, federation] = [await freePort(), await freePort()]
  const { PATH, HOME } = process.env
  const server = spawn(process.execPath, [join(root, 'server/main.ts')], {
    cwd: folder,
    env: {
      PATH,
      HOME,
      LETRO_SERVER_NAME: 'a.example',
      LETRO_SERVER_ORIGIN: `https://chat.a.example:${port}`,
      LETRO_LISTEN_CLIENT: `127.0.0.1:${port}`,
      LETRO_LISTEN_FEDERATION: `127.0.0.1:${federation}`,
      LETRO_TLS_AUTHORITY: 'own',
    },
  })
  let output = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', chunk => (output += chunk))
  t.teardown(async () => {
    server.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  await until(() => output.includes('"started"') || server.exitCode !== null)
  t.regex(output, /Letro serves a\.example/, output)

  const tls = join(folder, 'data', 'tls')
  const ca = await readFile(join(tls, 'authority.pem'), 'utf8')
  t.is(await status(port, ca), 200)
  await t.throwsAsync(shownAt(port, 'chat.a.example', undefined), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  const first = await shownAt(port, 'chat.a.example', ca)
  t.is(first.fingerprint256, (await shownAt(federation, 'a.example', ca)).fingerprint256, 'one for both')
  await t.throwsAsync(shownAt(port, 'b.example', ca), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const key = await readFile(join(tls, 'key.pem'), 'utf8')

  const letro = [
    join(root, 'provisioning/letro.ts'),
    'certificate',
    'renew',
    '--data',
    join(folder, 'data'),
    '--json',
  ]
  await promisify(execFile)(process.execPath, letro)
  server.kill('SIGHUP')
  let second = first
  await until(async () => {
    second = await shownAt(port, 'chat.a.example', ca)
    return second.fingerprint256 !== first.fingerprint256
  })
  t.not(second.fingerprint256, first.fingerprint256)
  t.deepEqual(second.pubkey, first.pubkey)
  t.is(await readFile(join(tls, 'key.pem'), 'utf8'), key)
  const audited = async () => {
    const { entries } = (await (
      await connectLocally({ data: join(folder, 'data') })
    ).ask('GET', '/audit')) as {
      entries: { action: string; actor: string; detail: { fingerprint_sha256: string } }[]
    }
    return entries.filter(({ action }) => action === 'site.certificate')
  }
  // It is shown before it is noted.
  await until(async () => (await audited()).length > 0)
  const noted = await audited()
  t.deepEqual(
    noted.map(({ actor, detail }) => [actor, detail.fingerprint_sha256]),
    [['local', second.fingerprint256]],
  )

  // The next key: peers learn it now, and it is used later.
  await promisify(execFile)(process.execPath, [...letro, '--new-key'])
  server.kill('SIGHUP')
  const named = async () => {
    const { card } = (await (
      await connectLocally({ data: join(folder, 'data') })
    ).ask('GET', '/site-card')) as {
      card: { keys: { tls: unknown[] } }
    }
    return card.keys.tls.length
  }
  await until(async () => (await named()) >= 2)
  t.is(await named(), 2)
  t.is((await shownAt(federation, 'a.example', ca)).fingerprint256, second.fingerprint256)
  server.kill('SIGTERM')
  const [code] = await once(server, 'exit')
  t.is(code, 0, output)
})

function status(port: number, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(
      { host: '127.0.0.1', port, path: '/_matrix/client/versions', servername: 'chat.a.example', ca },
      response => {
        response.resume()
        resolve(response.statusCode)
      },
    ).on('error', reject)
  })
}

async function shownAt(port: number, servername: string, ca: string | undefined): Promise<PeerCertificate> {
  const socket = connect({ host: '127.0.0.1', port, servername, ...(ca === undefined ? {} : { ca }) })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerCertificate()
  socket.destroy()
  return certificate
}

test('the duty renews by the server’s clock, not by a clock in doubt, and says why it could not', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-own-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { config } = parseConfig('', {
    LETRO_SERVER_NAME: 'a.example',
    LETRO_SERVER_DATA: folder,
    LETRO_TLS_AUTHORITY: 'own',
  })
  const now = Date.now()
  const days = (count: number) => now + count * 24 * 60 * 60 * 1000
  await makeOwnCertificate(config, now)
  const tls = join(folder, 'tls')
  const shown = async () => new X509Certificate(await readFile(join(tls, 'certificate.pem'))).fingerprint256
  const first = await shown()
  let isInDoubt = true
  const renewal = openRenewal(config, { log: { warn: () => {} }, isClockInDoubt: () => isInDoubt })
  await renewal.duty.run(days(300))
  t.is(await shown(), first)
  isInDoubt = false
  await rename(join(tls, 'authority-key.pem'), join(tls, 'away'))
  await renewal.duty.run(days(300))
  t.regex(renewal.failure ?? '', /Put authority-key\.pem back from a backup/)
  t.is(await shown(), first)
  await rename(join(tls, 'away'), join(tls, 'authority-key.pem'))
  await renewal.duty.run(days(300))
  t.is(renewal.failure, null)
  t.not(await shown(), first)
  t.true(renewal.isOurs(await shown()))
})

test('a start in a far year leaves the certificate that everybody else finds good', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-own-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const environment = {
    LETRO_SERVER_NAME: 'a.example',
    LETRO_SERVER_DATA: folder,
    LETRO_TLS_AUTHORITY: 'own',
  }
  const { config } = parseConfig('', environment)
  const file = join(folder, 'tls/certificate.pem')
  await makeOwnCertificate(config, Date.now())
  const first = await readFile(file, 'utf8')
  await makeOwnCertificate(config, Date.UTC(2038, 0))
  t.is(await readFile(file, 'utf8'), first)
  const other = parseConfig('', { ...environment, LETRO_SERVER_ORIGIN: 'https://chat.a.example' }).config
  await makeOwnCertificate(other, Date.now())
  t.not(await readFile(file, 'utf8'), first, 'one for other names is made')
})

test('a start that cannot have its certificate says what to do', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-own-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const start = async (environment: Record<string, string>) => {
    const { PATH, HOME } = process.env
    const error = await t.throwsAsync(
      promisify(execFile)(process.execPath, [join(root, 'server/main.ts')], {
        cwd: folder,
        env: {
          PATH,
          HOME,
          LETRO_LISTEN_CLIENT: `127.0.0.1:${await freePort()}`,
          LETRO_SERVER_NAME: 'a.example',
          ...environment,
        },
      }),
    )
    return (error as Error & { stderr: string }).stderr
  }
  t.regex(
    await start({ LETRO_TLS_AUTHORITY: 'organisation' }),
    /letro certificate request .* letro certificate import/,
  )
  t.regex(
    await start({ LETRO_TLS_AUTHORITY: 'own', LETRO_TLS_CERTIFICATE: 'c', LETRO_TLS_KEY: 'k' }),
    /tls\.authority[\s\S]*either those files, or this/,
  )
})

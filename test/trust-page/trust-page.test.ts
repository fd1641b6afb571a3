/** Port 80: what it says, what it hands out, and that it takes nothing. */
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { issueAuthority } from '../../provisioning/certificate.ts'
import { listen } from '../../server/http/server.ts'
import { readAuthority } from '../../server/trust-page/own-authority.ts'
import { type PlatformId, platformIds, texts } from '../../server/trust-page/texts.ts'
import { trustPageListener } from '../../server/trust-page/trust-page.ts'

const host = 'chat.clinic.example'
const origin = `https://${host}`
const folder = mkdtempSync(join(tmpdir(), 'letro-trust-'))
const { certificate } = issueAuthority([host], Date.now())
writeFileSync(join(folder, 'authority.pem'), certificate)
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

async function open(t: ExecutionContext, own = true) {
  const authority = own ? readAuthority(folder) : null
  const server = await listen(
    trustPageListener(() => ({ origin, authority })),
    { host: '127.0.0.1', port: 0 },
  )
  t.teardown(() => server.close(0))
  return (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const to = { host: '127.0.0.1', port: server.port, path, method, headers: { host, ...headers } }
      request(to, async response => {
        const parts: Buffer[] = []
        for await (const part of response) parts.push(part as Buffer)
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) })
      })
        .on('error', reject)
        .end()
    })
}

test('the authority comes as the file that each device takes', async t => {
  const get = await open(t)
  const { raw, fingerprint256 } = new X509Certificate(certificate)
  const crt = await get('/authority.crt')
  t.is(crt.headers['content-type'], 'application/x-x509-ca-cert')
  t.deepEqual(crt.body, raw)
  const profile = await get('/authority.mobileconfig', { 'accept-language': 'ar' })
  t.is(profile.headers['content-type'], 'application/x-apple-aspen-config')
  t.true(profile.body.toString().includes(raw.toString('base64')))
  const page = (await get('/')).body.toString()
  const shown = [...page.matchAll(/<span>([0-9A-F]{4})<\/span>/g)].map(([, group]) => group).join('')
  t.is(shown, fingerprint256.replaceAll(':', ''))
})

test('it speaks the language that was chosen, else the browser’s, else English', async t => {
  const get = await open(t)
  const language = async (path: string, accept: string) =>
    /<html lang="(..)" dir="(...)"/
      .exec((await get(path, { 'accept-language': accept })).body.toString())!
      .slice(1)
  t.deepEqual(await language('/', 'pt, ar-EG;q=0.8'), ['ar', 'rtl'])
  t.deepEqual(await language('/?lang=fr', 'ar'), ['fr', 'ltr'])
  t.deepEqual(await language('/?lang=xx"><script>', 'pt'), ['en', 'ltr'])
})

test('the steps of the device that asks stand open', async t => {
  const get = await open(t)
  const agents: Record<string, PlatformId | null> = {
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari': 'ios',
    'Mozilla/5.0 (Linux; Android 16; Pixel 9) Chrome': 'android',
    'Mozilla/5.0 (X11; Linux x86_64; rv:152.0) Gecko Firefox/152.0': 'firefox',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg': 'windows',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari': 'mac',
    curl: null,
  }
  for (const [agent, platform] of Object.entries(agents)) {
    const page = (await get('/', { 'user-agent': agent })).body.toString()
    const opened = /<details name="platform" open>\s*<summary>([^<]*)/.exec(page)?.[1]
    t.is(opened, platform === null ? undefined : texts.en.platforms[platform].name)
  }
})

test('who came by an IP address is told the name', async t => {
  const get = await open(t)
  for (const number of ['192.0.2.1', '192.0.2.1:80', '[2001:db8::1]:80'])
    t.true((await get('/', { host: number })).body.toString().includes(`href="http://${host}/"`), number)
  t.false((await get('/')).body.toString().includes(`href="http://${host}/"`))
})

test('its policy lets its own script and style run, and the self-test reach the server, and nothing else', async t => {
  const get = await open(t)
  const { headers, body } = await get('/')
  const policy = String(headers['content-security-policy'])
  const hashes = ['script', 'style'].map(tag => {
    const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(body.toString())![1]!
    return `${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`
  })
  for (const part of ["default-src 'none'", `connect-src ${origin}`, ...hashes])
    t.true(policy.includes(part), part)
  t.false(policy.includes('unsafe'))
})

test('there is nothing else: no other path, no other method', async t => {
  const get = await open(t)
  for (const path of [
    '/_matrix/client/versions',
    '/_letro/admin/v1/people',
    '/../keys',
    '//x',
    '/font/..%2f',
  ])
    t.like(await get(path), { status: 302, headers: { location: '/' } as never }, path)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) t.is((await get('/', {}, method)).status, 405)
})

test('where the certificate comes from elsewhere there is nothing to install', async t => {
  const get = await open(t, false)
  const page = (await get('/')).body.toString()
  t.true(page.includes('nothing to install'))
  t.false(page.includes('<details'))
  t.is((await get('/authority.crt')).status, 302)
})

test('every language has steps for every device, and names the file', t => {
  for (const each of Object.values(texts))
    for (const id of platformIds) t.true(each.platforms[id].steps.length >= 3)
})

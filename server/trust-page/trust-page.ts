/**
 * Port 80: how a device learns to trust the site's private authority, and nothing else.
 *
 * It must speak plain http: whoever needs it cannot speak our https yet. So nothing here is secret, nothing is taken from whoever
 * asks, and the page tells people to compare the fingerprint by another way.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import { mobileconfigType, rootProfile } from '../protocol/mobileconfig.ts'
import { contentPolicy, type TrustSite, trustPage } from './page.ts'
import { type Language, languages, type PlatformId, texts } from './texts.ts'

interface File {
  readonly type: string
  readonly bytes: Uint8Array
  readonly name?: string
}

/** @param site asked at every request: a renewed authority counts at once */
export function trustPageListener(site: () => TrustSite): RequestListener {
  const fonts = readFonts()
  return (request, response) => {
    request.resume()
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, null)
    const url = URL.parse(`http://trust.invalid${request.url}`) ?? new URL('http://trust.invalid/')
    const { pathname, searchParams } = url
    const font = fonts.get(pathname)
    if (font) return answer(response, 200, font, { 'Cache-Control': 'max-age=604800' })
    const now = site()
    const language = languageOf(request, searchParams)
    const file = now.authority && authorityFile(pathname, now, language)
    if (file) return answer(response, 200, file)
    // Whatever somebody was after, this is all there is.
    if (pathname !== '/') return answer(response, 302, null, { Location: '/' })
    const asked = { language, platform: platformOf(request), byNumber: isByNumber(request) }
    const page = { type: 'text/html; charset=utf-8', bytes: Buffer.from(trustPage(now, asked)) }
    answer(response, 200, page, { 'Content-Security-Policy': contentPolicy(now) })
  }
}

function authorityFile(path: string, { origin, authority }: TrustSite, language: Language): File | null {
  if (!authority) return null
  const { hostname } = new URL(origin)
  const { der } = authority
  if (path === '/authority.crt')
    return { type: 'application/x-x509-ca-cert', bytes: der, name: `${hostname}-authority.crt` }
  if (path !== '/authority.mobileconfig') return null
  const t = texts[language]
  const profile = rootProfile({
    certificate: der,
    fingerprint: Buffer.from(authority.fingerprint, 'hex'),
    serverName: hostname,
    texts: { title: `Letro ${hostname}`, description: t.limits(hostname), organisation: hostname },
  })
  return { type: mobileconfigType, bytes: Buffer.from(profile), name: `${hostname}.mobileconfig` }
}

function answer(
  response: ServerResponse,
  status: number,
  file: File | null,
  more: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Content-Length': String(file?.bytes.length ?? 0),
    ...(file ? { 'Content-Type': file.type } : {}),
    ...(file?.name === undefined ? {} : { 'Content-Disposition': `attachment; filename="${file.name}"` }),
    ...more,
  })
  response.end(file?.bytes)
}

/** What was chosen on the page, else the first of the browser's languages that we speak. */
function languageOf(request: IncomingMessage, query: URLSearchParams): Language {
  const wanted = [query.get('lang') ?? '', ...(request.headers['accept-language'] ?? '').split(',')]
  for (const each of wanted) {
    const known = languages.find(language => each.trim().toLowerCase().startsWith(language))
    if (known) return known
  }
  return 'en'
}

function platformOf({ headers }: IncomingMessage): PlatformId | null {
  const agent = headers['user-agent'] ?? ''
  if (/iPhone|iPad/.test(agent)) return 'ios'
  if (/Android/.test(agent)) return 'android'
  if (/Firefox/.test(agent)) return 'firefox'
  if (/Windows/.test(agent)) return 'windows'
  // iPads say that they are Macs; their steps are reached by one tap.
  return /Macintosh/.test(agent) ? 'mac' : null
}

function isByNumber({ headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(host) !== 0
}

function readFonts(): ReadonlyMap<string, File> {
  const { resolve } = createRequire(import.meta.url)
  const font = (name: string, file: string): [string, File] => [
    `/font/${name}.woff2`,
    { type: 'font/woff2', bytes: readFileSync(resolve(`@fontsource/${file}-normal.woff2`)) },
  ]
  return new Map([
    font('latin-400', 'ibm-plex-sans/files/ibm-plex-sans-latin-400'),
    font('latin-600', 'ibm-plex-sans/files/ibm-plex-sans-latin-600'),
    font('arabic-400', 'ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-arabic-400'),
    font('arabic-600', 'ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-arabic-600'),
    font('mono-400', 'ibm-plex-mono/files/ibm-plex-mono-latin-400'),
  ])
}

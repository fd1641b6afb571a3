/**
 * The plain page at `/plain`: makes a passkey from a link, or signs in with one to look after one's passkeys.
 *
 * It runs our script only: no inline script, no other origin, no frame.
 */
import { readFileSync } from 'node:fs'
import type { Route } from '../http/route.ts'

const pageFiles = [
  { path: '/plain', file: 'enrol.html', type: 'text/html; charset=utf-8' },
  { path: '/enrol/enrol.js', file: 'enrol.js', type: 'text/javascript; charset=utf-8' },
  { path: '/enrol/words.js', file: 'words.js', type: 'text/javascript; charset=utf-8' },
  { path: '/enrol/enrol.css', file: 'enrol.css', type: 'text/css; charset=utf-8' },
] as const

const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

export function enrolPageRoutes(): Route[] {
  return pageFiles.map(({ path, file, type }) => {
    const text = readFileSync(new URL(`enrol-page/${file}`, import.meta.url), 'utf8')
    return {
      method: 'GET',
      path,
      steps: [
        ctx => {
          ctx.set('Content-Security-Policy', pagePolicy)
          ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
          ctx.set('Cache-Control', 'no-cache')
          ctx.type = type
          ctx.body = text
        },
      ],
    }
  })
}

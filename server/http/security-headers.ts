/**
 * Headers of every answer: CORS for clients in browsers, and what keeps a browser from doing anything else with it.
 *
 * Spec: client-server-api#web-browser-clients. A page that the server itself serves sets its own
 * Content-Security-Policy over this one.
 */
export interface SecurityHeaderOptions {
  /** People reach us by https only: browsers may hold on to that. */
  readonly https: boolean
}

export function headersOfEveryAnswer({ https }: SecurityHeaderOptions): Map<string, string> {
  return new Map<string, string>([
    // Spec: client-server-api#api-standards: `application/json`; RFC 8259 knows no charset for it, and Koa would add one.
    ['Content-Type', 'application/json'],
    ['Access-Control-Allow-Origin', '*'],
    ['Access-Control-Allow-Methods', 'GET, HEAD, POST, PUT, DELETE, OPTIONS'],
    ['Access-Control-Allow-Headers', 'X-Requested-With, Content-Type, Authorization, Range'],
    [
      'Content-Security-Policy',
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
    ['Cache-Control', 'no-store'],
    ...(https ? [['Strict-Transport-Security', 'max-age=31536000'] as const] : []),
  ])
}

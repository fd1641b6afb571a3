/** A real server that other servers can reach, and ways to pin it and to let it pin others. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBase64 } from '../../server/protocol/base64.ts'
import { fingerprintWords } from '../../server/protocol/fingerprint-words.ts'
import { sha256 } from '../../server/rooms/primitives.ts'
import type { TestAuthority } from './certificates.ts'
import { type Answer, call } from './client.ts'
import { freePort } from './free-port.ts'
import type { Place } from './network.ts'
import { ServerProcess } from './server-process.ts'

/** Of everyone of them. */
export const automationToken = 'an-administrator-of-the-tests-for-automation'

export interface FederatedServer {
  readonly process: ServerProcess
  /** With its port, unless the settings name it. */
  readonly serverName: string
  readonly address: string
  readonly federationPort: number
  /** PEM: of the authority that the first start made. */
  readonly authority: string
  /** By the administration API. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>
}

/** `host`: a name that nobody has to resolve: peers dial the address in their pin. */
export async function startFederated(
  host: string,
  settings: Readonly<Record<string, string>> = {},
  place?: Place,
): Promise<FederatedServer> {
  const address = place?.address ?? '127.0.0.1'
  const federationPort = await freePort()
  const serverName = settings['server.name'] ?? `${host}:${federationPort}`
  const folder = mkdtempSync(join(tmpdir(), 'letro-peer-'))
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, automationToken, { mode: 0o600 })
  const process = await ServerProcess.start({
    folder,
    ...(place ? { place } : {}),
    settings: {
      'server.name': serverName,
      'listen.federation': `${address}:${federationPort}`,
      'federation.address': `${address}:${federationPort}`,
      'admin.token_file': tokenFile,
      ...settings,
    },
  })
  return {
    process,
    serverName,
    address,
    federationPort,
    authority: readFileSync(join(folder, 'data', 'tls', 'authority.pem'), 'utf8'),
    admin: async (method, path, body) => {
      const answer = await call(process.base, method, `/_letro/admin/v1${path}`, {
        token: automationToken,
        body,
      })
      if (answer.status !== 200)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer
    },
  }
}

/** Another homeserver, by its signing key (`ed25519:ID=BASE64`). */
export async function pinHomeserver(
  server: FederatedServer,
  homeserver: { readonly serverName: string; readonly federationPort: number; readonly key: string },
  authority: TestAuthority,
): Promise<void> {
  const publicKey = decodeBase64(homeserver.key.slice(homeserver.key.indexOf('=') + 1))!
  await server.admin('POST', '/peers', {
    homeserver: homeserver.serverName,
    key: homeserver.key,
    fingerprint: fingerprintWords(publicKey, sha256).join(' '),
    address: { host: '127.0.0.1', port: homeserver.federationPort },
    ca: authority.certificate,
  })
}

/** Another site, by its card; `address`: where it is reached from there, if not where its card says. */
export async function pinSite(
  server: FederatedServer,
  other: FederatedServer,
  address?: { readonly host: string; readonly port: number },
): Promise<void> {
  const { body } = await other.admin('GET', '/site-card')
  await server.admin('POST', '/peers', { card: body.card, fingerprint: body.fingerprint.join(' '), address })
}

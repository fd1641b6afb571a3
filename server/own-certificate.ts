/**
 * The certificate in the data folder (`<data>/tls`): made at the first start that needs it, renewed long before it ends.
 *
 * Other servers are answered with it wherever `tls.certificate` names no other, people where `tls.authority` says so.
 * Issuing is the business of `provisioning`, in a process of its own: nothing of it is loaded here. What that
 * process writes is noticed and used without a restart (tls-files.ts).
 */
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { SiteFacts } from './admin-api/site.ts'
import type { Config } from './config.ts'
import type { HostPort } from './config-values.ts'
import { StartRefused } from './data-folder.ts'
import type { Duty } from './duties.ts'
import { readTlsFiles, type TlsPaths } from './tls-files.ts'
import { readAuthority } from './trust-page/own-authority.ts'
import type { TrustAuthority } from './trust-page/page.ts'

export interface CertificateFiles {
  /** null: people are answered by plain http, for a proxy on the same machine. */
  readonly people: TlsPaths | null
  /** null: other servers are not answered. */
  readonly peers: TlsPaths | null
  /** The folder of the certificate that this server keeps itself; null: it needs none. */
  readonly own: string | null
}

export type CertificateConfig = Pick<Config, 'server' | 'listen' | 'federation' | 'tls' | 'tlsAuthority'>

/** Which files this server answers with. They need not be there yet. */
export function certificateFiles({ server, listen, tls, tlsAuthority }: CertificateConfig): CertificateFiles {
  const folder = resolve(server.data, 'tls')
  const kept = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
  const people = tls ?? (tlsAuthority ? kept : null)
  const peers = listen.federation ? (tls ?? kept) : null
  return { people, peers, own: people === kept || peers === kept ? folder : null }
}

/** The private authority, where it vouches for what people open. */
export function ownAuthority(config: CertificateConfig): TrustAuthority | null {
  const { own } = certificateFiles(config)
  return config.tlsAuthority === 'own' && own !== null ? readAuthority(own) : null
}

/** What goes with an invitation. */
export function siteFacts(config: CertificateConfig, trustPage: () => HostPort | null): SiteFacts {
  const { origin, name } = config.server
  return {
    serverName: name,
    origin,
    get trustPage() {
      const at = trustPage()
      const port = at?.port === 80 ? '' : `:${at?.port}`
      return at && `http://${new URL(origin).hostname}${port}`
    },
    authority: () => ownAuthority(config),
  }
}

/** The names by which people and other servers reach us, each once. */
export function certificateNames({ server, federation }: CertificateConfig): string[] {
  const origin = new URL(server.origin)
  const hosts = [
    server.name.replace(/:[0-9]+$/, ''),
    federation.address.host,
    ...(origin.protocol === 'https:' ? [origin.hostname] : []),
  ]
  return [...new Set(hosts.map(host => host.replace(/^\[(.*)\]$/, '$1').toLowerCase()))]
}

/** Makes what is not there, or no good any more. Rejects with StartRefused, a sentence for the operator. */
export async function makeOwnCertificate(config: CertificateConfig, now: number): Promise<void> {
  const { own } = certificateFiles(config)
  if (own === null) return
  if (config.tlsAuthority === 'organisation') {
    // Nothing is made in its place: whether it can be used, whoever reads it says.
    if (existsSync(join(own, 'certificate.pem'))) return
    throw new StartRefused(
      `tls.authority = "organisation", but there is no certificate in ${own} yet. Make a request for your authority with: letro certificate request --data ${config.server.data}. Bring what it issues with: letro certificate import.`,
    )
  }
  if (isFor(own, certificateNames(config))) return
  try {
    await issuing('make', own, now, certificateNames(config))
  } catch (error) {
    throw new StartRefused(`The server's own certificate in ${own} cannot be used.${whyOf(error)}`, {
      cause: error,
    })
  }
}

/**
 * There is one, for these names. Whether its time is over says the renewal, once it knows that the clock is right: one that starts
 * in 2038 must not put a certificate of 2038 in the place of one that everybody else finds good.
 */
function isFor(folder: string, names: readonly string[]): boolean {
  try {
    const { certificate } = readTlsFiles({
      certificate: join(folder, 'certificate.pem'),
      key: join(folder, 'key.pem'),
    })
    const leaf = new X509Certificate(certificate)
    return names.every(name => (isIP(name) ? leaf.checkIP(name) : leaf.checkHost(name)) !== undefined)
  } catch {
    return false
  }
}

/** What a failed renewal said, until one succeeds; for health. */
export interface Renewal {
  readonly duty: Duty
  readonly failure: string | null
  /** Did it bring in this certificate by itself? */
  isOurs(fingerprint256: string): boolean
}

export interface RenewalDeps {
  readonly log: { warn(message: string): void }
  readonly isClockInDoubt: () => boolean
}

const lookEveryMs = 6 * 60 * 60 * 1000

/**
 * Renews at two thirds of its life, under the same key; brings in the next key when peers have had its name for long
 * enough. All of it happens in files: after a crash anywhere the next run goes on.
 */
export function openRenewal(config: CertificateConfig, deps: RenewalDeps): Renewal {
  let lookedTs = Number.NEGATIVE_INFINITY
  let failure: string | null = null
  let ours: string | null = null
  return {
    duty: {
      name: 'renewing the certificate',
      // A doubt that has ended, and a failure, are not waited out.
      everyMs: 15 * 60 * 1000,
      async run(now) {
        const { own } = certificateFiles(config)
        if (now >= lookedTs && now - lookedTs < lookEveryMs) return
        // By a wrong clock it would be issued for a wrong year.
        if (own === null || deps.isClockInDoubt() || !existsSync(join(own, 'certificate.pem'))) return
        try {
          const before = fingerprintIn(own)
          await issuing('renew', own, now, certificateNames(config))
          const after = fingerprintIn(own)
          if (after !== before) ours = after
          failure = null
          lookedTs = now
        } catch (error) {
          failure = whyOf(error).trim() || 'The program that issues certificates did not run.'
          deps.log.warn('the certificate could not be renewed')
        }
      },
    },
    get failure() {
      return failure
    },
    isOurs: fingerprint256 => fingerprint256 === ours,
  }
}

function fingerprintIn(folder: string): string {
  return new X509Certificate(readFileSync(join(folder, 'certificate.pem'))).fingerprint256
}

async function issuing(act: 'make' | 'renew', folder: string, now: number, names: string[]): Promise<void> {
  const script = join(import.meta.dirname, '../provisioning/make-certificate.ts')
  await promisify(execFile)(process.execPath, [script, act, folder, String(now), ...names], {
    timeout: 60_000,
  })
}

function whyOf(error: unknown): string {
  return error instanceof Error && 'stderr' in error ? ` ${error.stderr}`.trimEnd() : ''
}

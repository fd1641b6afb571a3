/**
 * When certificates end: ours, the private authority's, and those that peers' pins lean on. Told at 60, 30 and 7 days.
 *
 * A peer whose key is pinned is believed whatever its certificate's dates are; what can end there is the authority that a
 * pin names, and a certificate that is good by that authority alone.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding, HealthSource, Reading, Severity } from './health/finding.ts'
import type { CertificateFiles, Renewal } from './own-certificate.ts'
import type { Peer } from './peers/peer.ts'
import type { ServerName } from './protocol/ids.ts'
import type { JsonObject } from './protocol/json.ts'
import { readTlsFiles, type TlsMaterial, type TlsPaths } from './tls-files.ts'

export interface CertificateHealthDeps {
  readonly files: CertificateFiles
  readonly renewal: Pick<Renewal, 'failure'>
  readonly peers: () => Iterable<Peer>
  /** When the certificate ends that the peer last showed, if it is good by the pin's authority alone. */
  readonly peerEndsTs: (server: ServerName) => number | undefined
}

const dayMs = 24 * 60 * 60 * 1000

export function openCertificateHealth(deps: CertificateHealthDeps): {
  source: HealthSource
  reading: Reading
} {
  const { files, renewal } = deps
  return {
    source: async now => [
      ...usesOf(files).flatMap(use => findingsOf(use, now)),
      ...(renewal.failure === null
        ? []
        : [finding('certificate.renewal-failed', 'warning', undefined, { reason: renewal.failure })]),
      ...authorityFindings(authorityOf(files), now),
      ...[...deps.peers()].flatMap(peer => peerFindings(peer, deps.peerEndsTs(peer.serverName), now)),
    ],

    reading: async now => {
      const uses = usesOf(files)
      const authority = authorityOf(files)
      if (uses.length === 0) return null
      return {
        server: uses.map(({ subject, paths }) => {
          const read = tryToRead(paths)
          return {
            ...(subject === undefined ? {} : { use: subject }),
            ...(read ? shown(read) : { readable: false }),
          }
        }),
        ...(authority
          ? {
              authority: {
                not_after_ts: endOf(authority),
                fingerprint_sha256: authority.fingerprint256,
                expired: endOf(authority) < now,
              },
            }
          : {}),
      }
    },
  }
}

interface Use {
  /** Where people and peers are shown different ones: to whom. */
  readonly subject: 'people' | 'federation' | undefined
  readonly paths: TlsPaths
}

function usesOf({ people, peers }: CertificateFiles): Use[] {
  if (people && peers && people.certificate === peers.certificate)
    return [{ subject: undefined, paths: people }]
  return [
    ...(people ? [{ subject: 'people', paths: people } as const] : []),
    ...(peers ? [{ subject: 'federation', paths: peers } as const] : []),
  ]
}

function findingsOf({ subject, paths }: Use, now: number): Finding[] {
  const material = tryToRead(paths)
  if (!material) return [finding('certificate.unreadable', 'alarm', subject, {})]
  if (now < material.notBeforeMs) {
    return [finding('certificate.not-yet-valid', 'alarm', subject, { valid_from_ts: material.notBeforeMs })]
  }
  return ending('certificate.expires', 'certificate.expired', subject, endOfChain(material), now)
}

/** The first that ends of those that the server shows: one expired certificate in the chain is enough. */
function endOfChain({ certificate }: TlsMaterial): number {
  const blocks = certificate.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return Math.min(...blocks.map(block => endOf(new X509Certificate(block))))
}

function authorityFindings(authority: X509Certificate | null, now: number): Finding[] {
  if (!authority) return []
  return ending(
    'certificate.authority-expires',
    'certificate.authority-expired',
    undefined,
    endOf(authority),
    now,
  )
}

function peerFindings(
  { serverName, suspended, transport, tls }: Peer,
  shownEndsTs: number | undefined,
  now: number,
): Finding[] {
  if (suspended || transport !== 'https' || tls.ca === undefined) return []
  const ends = [authorityEnd(tls.ca), shownEndsTs].filter(end => end !== undefined)
  if (ends.length === 0) return []
  return ending('certificate.peer-expires', 'certificate.peer-expired', serverName, Math.min(...ends), now)
}

/** An authority that cannot be read vouches for nobody; connections say so. */
function authorityEnd(pem: string): number | undefined {
  try {
    return endOf(new X509Certificate(pem))
  } catch {
    return undefined
  }
}

function ending(
  soon: 'certificate.expires' | 'certificate.authority-expires' | 'certificate.peer-expires',
  over: 'certificate.expired' | 'certificate.authority-expired' | 'certificate.peer-expired',
  subject: string | undefined,
  endsTs: number,
  now: number,
): Finding[] {
  const facts = { expires_ts: endsTs }
  if (now >= endsTs) return [finding(over, 'alarm', subject, facts)]
  const severity = severityAt(endsTs - now)
  return severity === null ? [] : [finding(soon, severity, subject, facts)]
}

function severityAt(leftMs: number): Severity | null {
  if (leftMs <= 7 * dayMs) return 'alarm'
  if (leftMs <= 30 * dayMs) return 'warning'
  return leftMs <= 60 * dayMs ? 'note' : null
}

function finding(
  code: Finding['code'],
  severity: Severity,
  subject: string | undefined,
  facts: JsonObject,
): Finding {
  return { code, severity, ...(subject === undefined ? {} : { subject }), facts }
}

function shown(material: TlsMaterial): JsonObject {
  const leaf = new X509Certificate(material.certificate)
  return {
    names: (leaf.subjectAltName ?? '').replaceAll(/(?:DNS|IP Address):/g, ''),
    not_before_ts: material.notBeforeMs,
    not_after_ts: material.notAfterMs,
    fingerprint_sha256: leaf.fingerprint256,
    spki_sha256: material.spkiSha256,
    next_spki_sha256: [...material.otherSpkiSha256],
  }
}

function tryToRead(paths: TlsPaths): TlsMaterial | null {
  try {
    return readTlsFiles(paths)
  } catch {
    return null
  }
}

/** The private authority, where the certificate that it vouches for is in use. */
function authorityOf({ own }: CertificateFiles): X509Certificate | null {
  if (own === null) return null
  try {
    const authority = new X509Certificate(readFileSync(join(own, 'authority.pem')))
    const leaf = new X509Certificate(readFileSync(join(own, 'certificate.pem')))
    return leaf.checkIssued(authority) ? authority : null
  } catch {
    return null
  }
}

const endOf = (certificate: X509Certificate) => Date.parse(certificate.validTo)

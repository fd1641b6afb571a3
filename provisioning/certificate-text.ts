/** Certificates in plain words, and as JSON for scripts. */
import { createHash, type X509Certificate } from 'node:crypto'
import { fingerprintLines, fingerprintWords } from '#protocol/fingerprint-words.ts'
import type { JsonObject } from '#protocol/json.ts'
import {
  certificatesIn,
  chainOf,
  complaintsAbout,
  dateOf,
  dayOf,
  isSelfSigned,
  issuerOf,
  nameOf,
  namesIn,
  shownNames,
} from './certificate-chain.ts'
import { permittedNames } from './certificate-names.ts'
import type { CertificateSite } from './certificate-site.ts'
import { changesAuthorityTs, changeTs, isOwn, renewalDueTs } from './renewal.ts'
import { spkiSha256Of } from './tls-folder.ts'

const dayMs = 24 * 60 * 60 * 1000

export interface Shown {
  readonly text: string
  readonly answer: JsonObject
  /** Something is wrong with it. */
  readonly isUnsound: boolean
}

/** What the server keeps in its data folder. */
export function showSite({ folder, names }: CertificateSite, now: number): Shown {
  const pem = folder.chain()
  const authority = folder.authorityCertificate()
  const next = folder.next()
  const parts: string[] = []
  let complaints: readonly string[] = []
  let own = false
  const json: Record<string, unknown> = {}
  if (pem === null) {
    parts.push(
      'There is no certificate yet. With tls.authority = "own" the server makes it at its start; with\n"organisation" bring one with: letro certificate import. (Where tls.certificate names files, show those:\nletro certificate show FILE.)\n',
    )
    json['certificate'] = null
  } else {
    const chain = chainOf(certificatesIn(pem), folder.keys())
    own = isOwn(chain.leaf, authority)
    complaints = complaintsAbout(chain, names, now).map(({ sentence }) => sentence)
    const changesTs = changesAuthorityTs(folder, chain.leaf)
    const renewal = own
      ? `Renewal        by itself, from ${dayOf(renewalDueTs(chain.leaf))} on, under the same key\n`
      : changesTs !== null
        ? `Renewal        by itself, by the new authority, from ${dayOf(changesTs)} on; at once: letro certificate issue\n`
        : 'Renewal        by you: letro certificate request, then letro certificate import\n'
    parts.push(`${certificateText('Certificate', chain.leaf, now)}${renewal}${aboveText(chain.above, now)}`)
    json['certificate'] = { ...certificateJson(chain.leaf), chain: chain.above.map(certificateJson), own }
    const renewalTs = own ? renewalDueTs(chain.leaf) : changesTs
    if (renewalTs !== null)
      json['certificate'] = { ...(json['certificate'] as object), renewal_ts: renewalTs }
  }
  if (authority) {
    const permitted = permittedNames(authority.toString())
    parts.push(
      `${certificateText('Authority', authority, now)}${
        permitted === null
          ? 'Vouches for    ANYTHING: letro issues nothing by it. Make one for this server alone: letro certificate authority --replace\n'
          : `Vouches for    ${permitted.join(', ')}, and what lies below; for nothing else\n`
      }${folder.authority() ? '' : 'Its key is not here: nothing can be issued or renewed by it.\n'}`,
    )
    json['authority'] = {
      ...certificateJson(authority),
      permitted_names: permitted,
      has_key: folder.authority() !== null,
    }
  }
  if (next) {
    const changes = changeTs(folder, next)
    const when = Number.isFinite(changes)
      ? `from ${dayOf(changes)} on`
      : 'once the running server has told other servers'
    parts.push(
      next.certificate === null
        ? `Next key       ${next.spkiSha256}\n               waits for the certificate that was requested\n`
        : `Next key       ${next.spkiSha256}\n               used ${when}\n`,
    )
    json['next'] = {
      spki_sha256: next.spkiSha256,
      has_certificate: next.certificate !== null,
      ...(next.publishedTs === null ? {} : { published_ts: next.publishedTs }),
    }
  }
  if (complaints.length > 0) parts.push(`${complaints.map(each => `! ${each}`).join('\n')}\n`)
  json['complaints'] = complaints
  return { text: parts.join('\n').trimEnd(), answer: json as JsonObject, isUnsound: complaints.length > 0 }
}

/** A file with certificates, wherever it is from. */
export function showFile(
  certificates: readonly X509Certificate[],
  names: readonly string[],
  now: number,
): Shown {
  const [leaf, ...above] = certificates
  if (!leaf)
    return { text: 'There is no certificate in this file.', answer: { certificate: null }, isUnsound: true }
  const complaints = leaf.ca ? [] : complaintsAbout({ leaf, above }, names, now).map(each => each.sentence)
  return {
    text: `${certificateText(leaf.ca ? 'Authority' : 'Certificate', leaf, now)}${aboveText(above, now)}${complaints.map(each => `\n! ${each}`).join('')}`.trimEnd(),
    answer: { certificate: { ...certificateJson(leaf), chain: above.map(certificateJson) }, complaints },
    isUnsound: complaints.length > 0,
  }
}

export function certificateText(title: string, certificate: X509Certificate, now: number): string {
  const self = isSelfSigned(certificate)
  return [
    `${title.padEnd(14)} ${certificate.ca ? nameOf(certificate) : `for ${shownNames(certificate)}`}`,
    ...(self ? [] : [`Issued by      ${issuerOf(certificate)}`]),
    `Good           from ${dateOf(certificate.validFrom)} until ${dateOf(certificate.validTo)} (${leftText(certificate, now)})`,
    `Key            ${keyText(certificate)}`,
    `Fingerprint    ${certificate.fingerprint256.slice(0, 47)}`,
    `(SHA-256)      ${certificate.fingerprint256.slice(48)}`,
    ...(certificate.ca
      ? authorityWords(certificate).map((line, i) => `${(i === 0 ? 'In words' : '').padEnd(14)} ${line}`)
      : [`Pinned as      ${spkiSha256Of(certificate.publicKey)}`]),
    '',
  ].join('\n')
}

/** As the trust page shows them: four words a line. */
export function authorityWords(certificate: X509Certificate): readonly string[] {
  const sha256 = (message: Uint8Array | string) => createHash('sha256').update(message).digest()
  return fingerprintLines(fingerprintWords(new Uint8Array(certificate.raw), sha256))
}

function aboveText(above: readonly X509Certificate[], now: number): string {
  return above
    .map(each => `Behind it      ${nameOf(each)}, until ${dateOf(each.validTo)} (${leftText(each, now)})\n`)
    .join('')
}

function leftText(certificate: X509Certificate, now: number): string {
  const days = Math.floor((Date.parse(certificate.validTo) - now) / dayMs)
  if (days < 0) return `EXPIRED ${-days} days ago`
  return days === 0 ? 'it ends TODAY' : `${days} more days`
}

function keyText({ publicKey }: X509Certificate): string {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  return publicKey.asymmetricKeyType === 'rsa'
    ? `RSA, ${modulusLength} bits`
    : `${publicKey.asymmetricKeyType}${namedCurve === undefined ? '' : `, ${namedCurve}`}`
}

function certificateJson(certificate: X509Certificate): JsonObject {
  return {
    subject: nameOf(certificate),
    issuer: issuerOf(certificate),
    names: namesIn(certificate),
    not_before_ts: Date.parse(certificate.validFrom),
    not_after_ts: Date.parse(certificate.validTo),
    fingerprint_sha256: certificate.fingerprint256,
    spki_sha256: spkiSha256Of(certificate.publicKey),
    is_authority: certificate.ca,
  }
}

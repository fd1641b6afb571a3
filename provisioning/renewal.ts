/**
 * Making the server's own certificate, renewing it, and changing its key without a moment at which a peer meets a key
 * that it does not know.
 *
 * Whatever happens here is a step from one good state of the folder (tls-folder.ts) to the next: cut off anywhere, the
 * next run goes on. A certificate that another authority issued is left alone: who brought it renews it.
 */
import { X509Certificate } from 'node:crypto'
import { authorityMadeTs, issueAuthority, issueLeaf, NameNotPermitted, newKey } from './certificate.ts'
import { covers } from './certificate-names.ts'
import { type Next, spkiSha256Of, type TlsFolder } from './tls-folder.ts'

const dayMs = 24 * 60 * 60 * 1000
/** So long a new key stands in the card before it is used: peers that were away for a week need no help. */
export const overlapMs = 7 * dayMs

/** Is it of the private authority? Then it is ours to renew. */
export function isOwn(leaf: X509Certificate, authority: X509Certificate | null): boolean {
  return authority !== null && leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
}

/**
 * Is it of the authority of before? Then it is ours to renew as well, by the present one: `null` where it is not, else from when
 * on: a week after the authority was made, in which devices learn to trust it, or a day before the certificate ends.
 */
export function changesAuthorityTs(folder: TlsFolder, leaf: X509Certificate): number | null {
  const authority = folder.authorityCertificate()
  if (authority === null || isOwn(leaf, authority) || !isOwn(leaf, folder.authorityBefore())) return null
  return Math.min(authorityMadeTs(authority) + overlapMs, Date.parse(leaf.validTo) - dayMs)
}

/** When two thirds of its life are over. */
export function renewalDueTs(leaf: X509Certificate): number {
  const from = Date.parse(leaf.validFrom)
  return from + ((Date.parse(leaf.validTo) - from) * 2) / 3
}

/** One that is not good yet was issued by a clock that was wrong. */
function isDue(leaf: X509Certificate, now: number): boolean {
  return now >= renewalDueTs(leaf) || now < Date.parse(leaf.validFrom)
}

/**
 * There is a certificate for these names after this: the one that is there, or one of the private authority, which is made
 * where there is none. Throws NameNotPermitted. Answers whether one was issued.
 */
export function makeCertificate(folder: TlsFolder, names: readonly string[], now: number): boolean {
  const chain = folder.chain()
  if (chain !== null) {
    const leaf = new X509Certificate(chain)
    const fits = folder.keyFor(leaf) !== null
    const changesTs = changesAuthorityTs(folder, leaf)
    const own = isOwn(leaf, folder.authorityCertificate()) || changesTs !== null
    if (!fits && !own) {
      throw new NameNotPermitted(
        `The certificate in ${folder.path} was issued by another authority, and key.pem does not hold its key. Put the key back from a backup, or bring certificate and key again with: letro certificate import`,
      )
    }
    const isGood = covers(leaf, names) && (changesTs === null ? !isDue(leaf, now) : now < changesTs)
    if (fits && (!own || isGood)) return false
  }
  if (!folder.authority()) folder.writeAuthority(issueAuthority(names, now))
  issueFor(folder, folder.keyInUse() ?? folder.keys()[0] ?? newKey(), names, now)
  return true
}

/** What the server's duty does every few hours: it says what changed, or null. */
export function renewCertificate(
  folder: TlsFolder,
  names: readonly string[],
  now: number,
): 'renewed' | 'key-changed' | null {
  const next = folder.next()
  if (next) {
    // The server that runs this names all keys of key.pem in its card.
    const published = next.publishedTs ?? now
    if (next.publishedTs === null) folder.writeNext({ ...next, publishedTs: now })
    if (now >= changeTs(folder, { ...next, publishedTs: published }) && changeKey(folder, next)) {
      return 'key-changed'
    }
  }
  const chain = folder.chain()
  if (chain === null) return null
  const leaf = new X509Certificate(chain)
  const changesTs = changesAuthorityTs(folder, leaf)
  const isOurs = isOwn(leaf, folder.authorityCertificate())
    ? isDue(leaf, now)
    : changesTs !== null && now >= changesTs
  if (!isOurs) return null
  const key = folder.keyFor(leaf)
  if (key === null) return null
  issueFor(folder, key, names, now)
  return 'renewed'
}

/** When the next key is used: after the overlap, or a day before the certificate in use is no good any more. */
export function changeTs(folder: TlsFolder, { publishedTs }: Next): number {
  const chain = folder.chain()
  if (publishedTs === null) return Number.POSITIVE_INFINITY
  const endTs = chain === null ? 0 : Date.parse(new X509Certificate(chain).validTo)
  return Math.min(publishedTs + overlapMs, endTs - dayMs)
}

/**
 * The next key takes over, now. Nothing happens while its certificate is still with the authority that was asked.
 * A crash after the certificate was written leaves next.json: the next run finds it done, and tidies up.
 */
export function changeKey(folder: TlsFolder, next: Next): boolean {
  const key = folder.keyOfNext(next)
  if (key === null) {
    folder.dropNext()
    return false
  }
  if (folder.keyInUse() !== key) {
    if (next.certificate === null) return false
    folder.writeChain(next.certificate)
  }
  folder.dropNext()
  folder.writeKeys([key])
  return true
}

/** A new key that the card names first. One that was to come before, and was never used, is forgotten. */
export function announceKey(folder: TlsFolder, key: string, certificate: string | null): Next {
  const inUse = folder.keyInUse()
  const next = { spkiSha256: spkiSha256Of(key), certificate, publishedTs: null }
  const before = folder.next()
  if (before?.spkiSha256 === next.spkiSha256) {
    const known = { ...next, publishedTs: before.publishedTs }
    folder.writeNext(known)
    return known
  }
  folder.writeKeys(inUse === null || inUse === key ? [key] : [inUse, key])
  folder.writeNext(next)
  return next
}

/** Issued by the private authority, and in use from now on. The key stands in the folder first. */
export function issueFor(folder: TlsFolder, key: string, names: readonly string[], now: number): void {
  const chain = ownChain(folder, key, names, now)
  if (!folder.keys().includes(key)) folder.writeKeys([key, ...folder.keys()])
  folder.writeChain(chain)
}

/** A certificate of the private authority, and the authority's behind it. */
export function ownChain(folder: TlsFolder, key: string, names: readonly string[], now: number): string {
  const authority = folder.authority()
  if (!authority) {
    throw new NameNotPermitted(
      `The private authority’s key is not in ${folder.path}: nothing can be issued by it. Put authority-key.pem back from a backup, or make a new authority with: letro certificate authority --replace`,
    )
  }
  return issueLeaf(authority, key, names, now) + authority.certificate
}

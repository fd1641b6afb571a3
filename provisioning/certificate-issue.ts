/** Issuing by the private authority on an administrator's word: the authority itself, and the server's certificate. */
import { X509Certificate } from 'node:crypto'
import { issueAuthority, newKey } from './certificate.ts'
import type { CertificateSite } from './certificate-site.ts'
import { announceKey, changeKey, isOwn, issueFor, ownChain } from './renewal.ts'
import type { Next, TlsFolder } from './tls-folder.ts'

/** The one of before is kept beside it, with its key, for whoever wants it back. */
export function makeAuthority(folder: TlsFolder, names: readonly string[], now: number): X509Certificate {
  const made = issueAuthority(names, now)
  // Certificate first: what a crash leaves without its key is no authority, and the next try begins anew.
  folder.keepAside('authority.pem', 'authority-before.pem')
  folder.keepAside('authority-key.pem', 'authority-before-key.pem')
  folder.writeAuthority(made)
  return new X509Certificate(made.certificate)
}

/** Is the certificate in use one of the private authority? */
export function isOwnInUse(folder: TlsFolder): boolean {
  const chain = folder.chain()
  return chain !== null && isOwn(new X509Certificate(chain), folder.authorityCertificate())
}

/** `next`: the certificate comes under a new key, once other servers have learned that. */
export function issueCertificate(
  { folder, isPinned }: CertificateSite,
  names: readonly string[],
  options: { readonly newKey?: boolean; readonly now?: boolean },
  now: number,
): { certificate: X509Certificate | null; next: Next | null } {
  const inUse = folder.keyInUse()
  if (options.newKey && inUse !== null) {
    const key = newKey()
    const next = announceKey(folder, key, ownChain(folder, key, names, now))
    if (isPinned && !options.now) return { certificate: null, next }
    changeKey(folder, next)
  } else issueFor(folder, inUse ?? folder.keys()[0] ?? newKey(), names, now)
  return { certificate: new X509Certificate(folder.chain()!), next: null }
}

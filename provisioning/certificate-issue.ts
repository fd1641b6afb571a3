/** Issuing by the private authority on an administrator's word: the authority itself, and the server's certificate. */
import { X509Certificate } from 'node:crypto'
import { issueAuthority, newKey } from './certificate.ts'
import { namesIn } from './certificate-chain.ts'
import type { CertificateSite } from './certificate-site.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { announceKey, changeKey, changesAuthorityTs, isOwn, issueFor, ownChain } from './renewal.ts'
import type { Next, TlsFolder } from './tls-folder.ts'

/** The one of before is kept beside it, with its key, for whoever wants it back. */
export function makeAuthority(folder: TlsFolder, names: readonly string[], now: number): X509Certificate {
  const made = issueAuthority(names, now)
  // Certificate first: what a crash leaves without its key is no authority, and the next try begins anew.
  // Made twice within the week: the one that vouches for the certificate in use stays the one of before.
  const chain = folder.chain()
  const before = folder.authorityBefore()
  const isStillUsed = chain !== null && before !== null && isOwn(new X509Certificate(chain), before)
  const aside = isStillUsed ? 'authority-unused' : 'authority-before'
  folder.keepAside('authority.pem', `${aside}.pem`)
  folder.keepAside('authority-key.pem', `${aside}-key.pem`)
  folder.writeAuthority(made)
  return new X509Certificate(made.certificate)
}

/** Is the certificate in use one of the private authority? */
export function isOwnInUse(folder: TlsFolder): boolean {
  const chain = folder.chain()
  return chain !== null && isOwn(new X509Certificate(chain), folder.authorityCertificate())
}

/** Those of the certificate that only the private authority renews; throws CommandFailed where it is of another one. */
export function namesToRenew({ folder, names }: CertificateSite): readonly string[] {
  const chain = folder.chain()
  if (chain === null) {
    throw new CommandFailed(
      'There is no certificate yet: letro certificate issue, or import.',
      exitCodes.unsound,
    )
  }
  const leaf = new X509Certificate(chain)
  if (!isOwnInUse(folder) && changesAuthorityTs(folder, leaf) === null) {
    throw new CommandFailed(
      'The certificate in use is not of the private authority, so that only who issued it can renew it: letro certificate request, then letro certificate import.',
      exitCodes.unsound,
    )
  }
  return names.length > 0 ? names : namesIn(leaf)
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

/** A request for a certificate, and the key that it is for: the one in use, one that waits already, or a new one. */
import { newKey } from './certificate.ts'
import { certificateRequest, type RequestSubject } from './certificate-request.ts'
import { type CertificateSite, needNames } from './certificate-site.ts'
import { announceKey } from './renewal.ts'

export interface RequestFile {
  readonly names: readonly string[]
  /** PEM. */
  readonly csr: string
  readonly fileName: string
  readonly isNew: boolean
  /** Other servers learn the new key meanwhile. */
  readonly waits: boolean
}

export function makeRequest(
  site: CertificateSite,
  subject: RequestSubject,
  wantsNewKey: boolean,
): RequestFile {
  const names = needNames(site)
  const { folder } = site
  const pending = folder.next()
  const known = (pending && folder.keyOfNext(pending)) ?? folder.keyInUse() ?? folder.keys()[0] ?? null
  const key = wantsNewKey || known === null ? newKey() : known
  const isNew = key !== known
  const csr = certificateRequest(key, names, subject)
  // The request is of use only with its key: that is written first.
  const waits = isNew && folder.keyInUse() !== null
  if (waits) announceKey(folder, key, null)
  else if (isNew) folder.writeKeys([key])
  return { names, csr, fileName: `${names[0]!.replaceAll(/[^0-9A-Za-z.-]/g, '_')}.csr`, isNew, waits }
}

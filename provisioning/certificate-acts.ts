/** What each command of `letro certificate` does, and what it says then: to a person, and to a script. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { JsonObject } from '#protocol/json.ts'
import { ChainRefused, certificatesIn, dateOf, dayOf, namesIn, remarksAbout } from './certificate-chain.ts'
import { type ImportOptions, importCertificate } from './certificate-import.ts'
import { isOwnInUse, issueCertificate, makeAuthority, namesToRenew } from './certificate-issue.ts'
import { makeRequest } from './certificate-request-file.ts'
import { type CertificateSite, needNames } from './certificate-site.ts'
import { certificateText, showFile, showSite } from './certificate-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { mdmProfiles, mdmReadme, nameForDevices } from './mdm-profiles.ts'
import { renewalDueTs } from './renewal.ts'
import { confirm } from './terminal.ts'

export interface CertificateOptions extends ImportOptions {
  readonly data?: string
  readonly json?: boolean
  readonly name?: readonly string[]
  readonly newKey?: boolean
  readonly replace?: boolean
  readonly yes?: boolean
  readonly out?: string
  readonly organisation?: string
  readonly country?: string
}

export interface Done {
  readonly answer: JsonObject
  readonly text: string
  /** What was looked at is not well. */
  readonly isUnsound?: boolean
}

export type CertificateAct = (
  site: CertificateSite,
  options: CertificateOptions,
  argument: string | undefined,
) => Promise<Done>

export const show: CertificateAct = async (site, _options, file) => {
  try {
    return file === undefined
      ? showSite(site, Date.now())
      : showFile(certificatesIn(readText(file)), site.names, Date.now())
  } catch (error) {
    if (!(error instanceof ChainRefused)) throw error
    const complaints = error.complaints.map(({ sentence }) => sentence)
    return { answer: { complaints }, text: complaints.join('\n'), isUnsound: true }
  }
}

export const authority: CertificateAct = async (site, options) => {
  const names = needNames(site)
  const before = site.folder.authorityCertificate()
  if (before && !options.replace) {
    throw new CommandFailed(
      `There is an authority already, good until ${dateOf(before.validTo)}. Devices that trust it would not trust another one; where you want that: --replace`,
      exitCodes.unsound,
    )
  }
  if (before && !options.yes) {
    await mustConfirm(
      'Every device must learn to trust the new authority before its certificate is used. The old certificate\nstays in use for a week, or until you type: letro certificate issue. Type yes to make a new authority: ',
    )
  }
  const made = makeAuthority(site.folder, names, Date.now())
  return {
    answer: {
      fingerprint_sha256: made.fingerprint256,
      names: [...names],
      not_after_ts: Date.parse(made.validTo),
    },
    text: `${certificateText('Authority', made, Date.now())}
It can vouch for ${names.join(', ')} and for nothing else. Its key is in ${site.folder.path}.
Next: let devices trust it:
  letro certificate mdm --data ${options.data}
${before ? 'In a week the server changes to it by itself. To change at once' : "Then let it issue the server's certificate"}:
  letro certificate issue --data ${options.data}`,
  }
}

export const issue: CertificateAct = async (site, options) => {
  const names = needNames(site)
  if (!site.folder.authority()) {
    throw new CommandFailed(
      'There is no private authority here to issue it. Make one with: letro certificate authority. For your organisation’s own: letro certificate request.',
      exitCodes.unsound,
    )
  }
  if (!options.yes && site.folder.chain() !== null && !isOwnInUse(site.folder)) {
    await mustConfirm(
      'The certificate in use is of another authority. Devices that do not trust the private authority of now will\nrefuse the server. Type yes to go over to it: ',
    )
  }
  return issued(site, names, options)
}

export const renew: CertificateAct = async (site, options) => {
  return issued(site, namesToRenew(site), options)
}

function issued(site: CertificateSite, names: readonly string[], options: CertificateOptions): Done {
  const { certificate, next } = issueCertificate(site, names, options, Date.now())
  if (next || !certificate) {
    return { answer: { state: 'waiting', spki_sha256: next!.spkiSha256 }, text: waitingText }
  }
  return {
    answer: {
      state: 'in-use',
      fingerprint_sha256: certificate.fingerprint256,
      not_after_ts: Date.parse(certificate.validTo),
    },
    text: `${certificateText('Certificate', certificate, Date.now())}
A running server uses it within ten seconds. It renews itself from ${dayOf(renewalDueTs(certificate))} on.`,
  }
}

export const request: CertificateAct = async (
  site,
  { data, out, organisation, country, newKey: wantsNew },
) => {
  if (country !== undefined && !/^[A-Z]{2}$/.test(country)) {
    throw new CommandFailed(`--country ${country}: two capitals, as in DE.`, exitCodes.usage)
  }
  const { names, csr, fileName, isNew, waits } = makeRequest(
    site,
    { organisation, country },
    wantsNew ?? false,
  )
  const { folder } = site
  const file = out ?? fileName
  writeText(file, csr)
  return {
    answer: { file: resolve(file), names: [...names], new_key: isNew },
    text: `${file} asks for a certificate for ${names.join(', ')}.
Nothing in it is secret; the key stays in ${folder.path}.

Send it to your authority. It must issue a certificate for web servers (serverAuth) with all these names as
subject alternative names. Bring what comes back, with its chain:
  letro certificate import FILE --data ${data}${waits ? '\n\nOther servers learn the new key meanwhile; the old certificate stays in use.' : ''}`,
  }
}

export const bring: CertificateAct = async (site, options, file) => {
  const imported = await importCertificate(site, file!, options, Date.now())
  const { leaf, sorted, state } = imported
  const remarks = remarksAbout(imported)
  const lines = [
    certificateText('Certificate', leaf, Date.now()),
    ...(sorted ? ['The certificates stood in another order in the file; that was put right.'] : []),
    ...remarks,
    state === 'waiting'
      ? waitingText
      : `A running server uses it within ten seconds. letro.toml must say tls.authority = "organisation", and must not
name tls.certificate.`,
  ]
  return {
    answer: { state, names: namesIn(leaf), not_after_ts: Date.parse(leaf.validTo), sorted, remarks },
    text: lines.join('\n'),
  }
}

export const mdm: CertificateAct = async (site, { out = 'letro-mdm' }) => {
  const certificate = site.folder.authorityCertificate()
  if (!certificate) {
    throw new CommandFailed(
      'There is no private authority here. What your organisation’s own authority issued is trusted by devices that trust that one: your device management has its certificate already.',
      exitCodes.unsound,
    )
  }
  const name = nameForDevices(site, certificate)
  const files = mdmProfiles(certificate, name)
  try {
    mkdirSync(out, { recursive: true })
  } catch (error) {
    throw cannotWrite(out, error)
  }
  for (const { name: file, content } of files) writeText(join(out, file), content)
  writeText(join(out, 'README.txt'), mdmReadme(certificate, name, files))
  return {
    answer: { folder: resolve(out), files: files.map(({ name: file }) => file) },
    text: `${files.map(({ name: file }) => join(out, file)).join('\n')}

Which system takes which file stands in ${join(out, 'README.txt')}.`,
  }
}

export const waitingText = `The old certificate stays in use while other servers learn the new key: for a week from when the server next runs,
or until a day before the old certificate ends. Then the server changes by itself. How far it is shows
letro certificate show. To change at once: the same command with --now`

async function mustConfirm(question: string): Promise<void> {
  if (!(await confirm(question))) throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    const sentence = code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`
    throw new CommandFailed(sentence, exitCodes.impossible)
  }
}

export function writeText(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content, { mode: 0o644 })
  } catch (error) {
    throw cannotWrite(file, error)
  }
}

export function cannotWrite(path: string, error: unknown): CommandFailed {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return new CommandFailed(
    `${path} cannot be written (${code}). Name another place with --out.`,
    exitCodes.impossible,
  )
}

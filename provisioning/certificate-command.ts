/**
 * `letro certificate`: the certificate that the server keeps in its data folder, and the authority behind it.
 *
 * All commands work on the folder, whether the server runs or not; a running one uses within ten seconds what has changed.
 */
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import type { JsonObject } from '#protocol/json.ts'
import { NameNotPermitted, newKey } from './certificate.ts'
import {
  ChainRefused,
  certificatesIn,
  dateOf,
  dayOf,
  namesIn,
  remarksAbout,
  shownNames,
} from './certificate-chain.ts'
import { type ImportOptions, importCertificate } from './certificate-import.ts'
import { isOwnInUse, issueCertificate, makeAuthority } from './certificate-issue.ts'
import { permittedNames } from './certificate-names.ts'
import { certificateRequest } from './certificate-request.ts'
import { type CertificateSite, certificateSite, needNames } from './certificate-site.ts'
import { certificateText, showFile, showSite } from './certificate-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { mdmProfiles, mdmReadme } from './mdm-profiles.ts'
import { announceKey, renewalDueTs } from './renewal.ts'
import { confirm, print } from './terminal.ts'

interface Options extends ImportOptions {
  readonly data: string
  readonly json?: boolean
  readonly name?: readonly string[]
  readonly newKey?: boolean
  readonly replace?: boolean
  readonly yes?: boolean
  readonly out?: string
  readonly organisation?: string
  readonly country?: string
}

type Act = (site: CertificateSite, options: Options, argument: string | undefined) => Promise<JsonObject>

export function certificateCommand(): Command {
  const certificate = new Command('certificate').description(
    'The server’s certificate: see it, renew it, bring another one; make devices trust it.',
  )

  add(certificate, 'show [file]', 'What is used, for which names and until when; or what is in a file.', show)

  add(
    certificate,
    'authority',
    'Make a private authority that can vouch for this server’s names and for nothing else.',
    authority,
  )
    .option('--name <name>', 'what it may vouch for; not needed once the server was started', collect)
    .option('--replace', 'make another one in place of the one that is there')
    .option('--yes', 'do not ask')

  add(certificate, 'issue', 'Issue the server’s certificate by the private authority.', issue)
    .option('--name <name>', 'for this name; not needed once the server was started', collect)
    .option('--new-key', 'under a new key, which other servers learn first')
    .option('--now', 'with --new-key: at once; peers that were away are lost until they have the new card')
    .option('--yes', 'do not ask')

  add(certificate, 'renew', 'Renew a certificate of the private authority now, under the same key.', renew)
    .option('--new-key', 'under a new key, which other servers learn first')
    .option('--now', 'with --new-key: at once; peers that were away are lost until they have the new card')

  add(
    certificate,
    'request',
    'Write a request (CSR) for your organisation’s own authority. The key stays here.',
    request,
  )
    .option('--name <name>', 'for this name; not needed once the server was started', collect)
    .option('--out <file>', 'where to (default: NAME.csr in this folder)')
    .option('--new-key', 'for a new key, which other servers learn while you wait for the certificate')
    .option('--organisation <name>', 'where your authority wants it (O)')
    .option('--country <XX>', 'where your authority wants it (C), two letters')

  add(certificate, 'import <file>', 'Take what an authority issued: PEM with its chain, or PKCS #12.', bring)
    .option('--key <file>', 'its private key, where it was not made by: letro certificate request')
    .option('--passphrase-file <file>', 'the first line of this file opens the key or PKCS #12 file')
    .option('--passphrase-fd <number>', 'the same, from an open file descriptor')
    .option('--name <name>', 'what it must be for; not needed once the server was started', collect)
    .option('--now', 'use a new key at once; peers that were away are lost until they have the new card')

  add(
    certificate,
    'mdm',
    'Write the files by which device management makes devices trust the authority.',
    mdm,
  ).option('--out <folder>', 'where to (default: the folder letro-mdm here)')

  certificate.addHelpText('after', help)
  return certificate
}

const help = `
Nothing is ever half done: a command that refuses has changed nothing, and the server has the old
certificate or the new one, also after a power cut.

Examples:
  letro certificate show --data /var/lib/letro
  letro certificate request --data /var/lib/letro --organisation "Clinic"
  letro certificate import chain.pem --data /var/lib/letro
  letro certificate import server.p12 --passphrase-file /root/p12.txt --data /var/lib/letro
  letro certificate mdm --out /srv/mdm --data /var/lib/letro

Exit codes:
  0  done, and all is well
  1  refused, or what was looked at is not well
  2  the command line is wrong
  4  it could not run: no such file or folder
`

// ── the acts ─────────────────────────────────────────────────────────────────────────────────────────

async function show(site: CertificateSite, { json }: Options, file: string | undefined): Promise<JsonObject> {
  const shown =
    file === undefined
      ? showSite(site, Date.now())
      : showFile(certificatesIn(readText(file)), site.names, Date.now())
  if (shown.isUnsound) process.exitCode = exitCodes.unsound
  if (!json) print(shown.text)
  return shown.json
}

async function authority(site: CertificateSite, options: Options): Promise<JsonObject> {
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
      'Every device must learn to trust the new authority before its certificate is used. The old certificate\nstays in use until you type: letro certificate issue. Type yes to make a new authority: ',
    )
  }
  const made = makeAuthority(site.folder, names, Date.now())
  if (!options.json) {
    print(certificateText('Authority', made, Date.now()))
    print(`It can vouch for ${names.join(', ')} and for nothing else. Its key is in ${site.folder.path}.`)
    print(
      `Next: let devices trust it (letro certificate mdm --data ${options.data}), then: letro certificate issue --data ${options.data}`,
    )
  }
  return {
    fingerprint_sha256: made.fingerprint256,
    names: [...names],
    not_after_ts: Date.parse(made.validTo),
  }
}

async function issue(site: CertificateSite, options: Options): Promise<JsonObject> {
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
  return issueAndTell(site, names, options)
}

async function renew(site: CertificateSite, options: Options): Promise<JsonObject> {
  if (site.folder.chain() === null) {
    throw new CommandFailed(
      'There is no certificate yet: letro certificate issue, or import.',
      exitCodes.unsound,
    )
  }
  if (!isOwnInUse(site.folder)) {
    throw new CommandFailed(
      'The certificate in use is not of the private authority, so that only who issued it can renew it: letro certificate request, then letro certificate import.',
      exitCodes.unsound,
    )
  }
  const names = site.names.length > 0 ? site.names : namesIn(new X509Certificate(site.folder.chain()!))
  return issueAndTell(site, names, options)
}

async function issueAndTell(
  site: CertificateSite,
  names: readonly string[],
  options: Options,
): Promise<JsonObject> {
  const { certificate, next } = issueCertificate(site, names, options, Date.now())
  if (next) {
    if (!options.json) print(waiting(next.spkiSha256))
    return { state: 'waiting', spki_sha256: next.spkiSha256 }
  }
  if (!options.json) {
    print(certificateText('Certificate', certificate!, Date.now()))
    print(
      `A running server uses it within ten seconds. It renews itself from ${dayOf(renewalDueTs(certificate!))} on.`,
    )
  }
  return {
    state: 'in-use',
    fingerprint_sha256: certificate!.fingerprint256,
    not_after_ts: Date.parse(certificate!.validTo),
  }
}

async function request(site: CertificateSite, options: Options): Promise<JsonObject> {
  const names = needNames(site)
  const { folder } = site
  const { organisation, country } = options
  if (country !== undefined && !/^[A-Z]{2}$/.test(country)) {
    throw new CommandFailed(`--country ${country}: two capitals, as in DE.`, exitCodes.usage)
  }
  const pending = folder.next()
  const kept = options.newKey
    ? null
    : ((pending && folder.keyOfNext(pending)) ?? folder.keyInUse() ?? folder.keys()[0] ?? null)
  const key = kept ?? newKey()
  const text = certificateRequest(key, names, { organisation, country })
  if (kept === null) {
    if (folder.keyInUse() === null) folder.writeKeys([key])
    else announceKey(folder, key, null)
  }
  const out = options.out ?? `${names[0]!.replaceAll(/[^0-9A-Za-z.-]/g, '_')}.csr`
  writeText(out, text)
  if (!options.json) {
    print(
      `${out} asks for a certificate for ${names.join(', ')}. Nothing in it is secret; the key stays in ${folder.path}.`,
    )
    print(
      'Send it to your authority. It must issue a certificate for web servers (serverAuth) with all these names as',
    )
    print(
      `subject alternative names. Bring what comes back, with its chain: letro certificate import FILE --data ${options.data}`,
    )
    if (kept === null && folder.keyInUse() !== null)
      print('Other servers learn the new key meanwhile; the old certificate stays in use.')
  }
  return { file: resolve(out), names: [...names], new_key: kept === null }
}

async function bring(site: CertificateSite, options: Options, file: string | undefined): Promise<JsonObject> {
  const imported = await importCertificate(site, file!, options, Date.now())
  const { leaf, sorted, state } = imported
  const remarks = remarksAbout(imported)
  if (!options.json) {
    print(certificateText('Certificate', leaf, Date.now()))
    if (sorted) print('The certificates stood in another order in the file; that was put right.')
    for (const remark of remarks) print(remark)
    if (state === 'in-use') {
      print(
        'A running server uses it within ten seconds. letro.toml must say: tls.authority = "organisation"',
      )
      print('(or have no certificate for people at all), and must not name tls.certificate.')
    } else print(waiting(null))
  }
  return { state, names: shownNames(leaf), not_after_ts: Date.parse(leaf.validTo), sorted, remarks }
}

async function mdm(site: CertificateSite, options: Options): Promise<JsonObject> {
  const authority = site.folder.authorityCertificate()
  if (!authority) {
    throw new CommandFailed(
      'There is no private authority here. What your organisation’s own authority issued is trusted by devices that trust that one: your device management has its certificate already.',
      exitCodes.unsound,
    )
  }
  const out = options.out ?? 'letro-mdm'
  const name = site.names[0] ?? permittedNames(authority.toString())?.[0] ?? 'letro'
  const files = mdmProfiles(authority, name)
  try {
    mkdirSync(out, { recursive: true })
  } catch (error) {
    throw cannotWrite(out, error)
  }
  for (const { name: file, content } of files) writeText(join(out, file), content)
  writeText(join(out, 'README.txt'), mdmReadme(authority, name, files))
  if (!options.json) {
    for (const { name: file } of files) print(join(out, file))
    print(`\nWhich system takes which file stands in ${join(out, 'README.txt')}.`)
  }
  return { folder: resolve(out), files: files.map(({ name: file }) => file) }
}

// ── around them ──────────────────────────────────────────────────────────────────────────────────────

function waiting(spkiSha256: string | null): string {
  return `The old certificate stays in use while other servers learn the new key${spkiSha256 === null ? '' : ` (${spkiSha256})`}: for a week from
when the server next runs, or until a day before the old certificate ends. Then the server changes by itself.
See how far it is with: letro certificate show. To change at once: the same command with --now`
}

async function mustConfirm(question: string): Promise<void> {
  if (!(await confirm(question))) throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    throw new CommandFailed(
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`,
      exitCodes.impossible,
    )
  }
}

function writeText(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content, { mode: 0o644 })
  } catch (error) {
    throw cannotWrite(file, error)
  }
}

function cannotWrite(path: string, error: unknown): CommandFailed {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return new CommandFailed(
    `${path} cannot be written (${code}). Name another place with --out.`,
    exitCodes.impossible,
  )
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function add(parent: Command, name: string, description: string, act: Act): Command {
  return parent
    .command(name)
    .description(description)
    .requiredOption('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--json', 'answer as JSON')
    .action(run(act))
}

/** commander hands in arguments, options, command; what fails is a sentence and an exit code. */
function run(act: Act) {
  return async (...given: unknown[]): Promise<void> => {
    const options = given.at(-2) as Options
    const argument = given.length > 2 ? (given[0] as string | undefined) : undefined
    process.exitCode = exitCodes.done
    try {
      const site = certificateSite(resolve(options.data), options.name)
      const answer = await act(site, options, argument)
      if (options.json) print(JSON.stringify(answer, null, 2))
    } catch (error) {
      process.exitCode = tell(error, options.json ?? false)
    }
  }
}

function tell(error: unknown, json: boolean): number {
  const complaints =
    error instanceof ChainRefused
      ? error.complaints
      : error instanceof NameNotPermitted
        ? [{ code: 'NOT_PERMITTED', sentence: error.message }]
        : null
  if (complaints) {
    if (json) print(JSON.stringify({ error: { complaints } }, null, 2))
    else
      process.stderr.write(
        `Nothing was changed.\n\n${complaints.map(({ sentence }) => sentence).join('\n\n')}\n`,
      )
    return exitCodes.unsound
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isFile = /^(EACCES|EPERM|ENOSPC|EROFS|EDQUOT)$/.test(code)
  if (!(error instanceof CommandFailed) && !isFile) throw error
  const sentence = isFile
    ? code === 'ENOSPC' || code === 'EDQUOT'
      ? 'The disk is full. Nothing was changed: make room, then try again.'
      : `The data folder cannot be used (${code}). Run this as the user who runs the server, or as root.`
    : (error as Error).message
  if (json) print(JSON.stringify({ error: { sentence } }, null, 2))
  else process.stderr.write(`${sentence}\n`)
  return error instanceof CommandFailed ? error.exitCode : exitCodes.impossible
}

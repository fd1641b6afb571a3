/**
 * `letro certificate`: the certificate that the server keeps in its data folder, and the authority behind it.
 *
 * With `--data` all commands work on the folder, whether the server runs or not; a running one uses within ten seconds what
 * has changed. From elsewhere (`--server`) a running server is asked for what needs nothing but that folder. The private
 * authority is made and put to use on the machine alone.
 */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { act } from './act.ts'
import { NameNotPermitted } from './certificate.ts'
import {
  authority,
  bring,
  type CertificateAct,
  type CertificateOptions,
  type Done,
  issue,
  mdm,
  renew,
  request,
  show,
} from './certificate-acts.ts'
import { ChainRefused } from './certificate-chain.ts'
import { type FarAct, far } from './certificate-server.ts'
import { certificateSite } from './certificate-site.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { FolderLocked } from './folder-lock.ts'
import { connect, type ServerOptions } from './server-connection.ts'
import { tell } from './terminal.ts'

export function certificateCommand(): Command {
  const certificate = new Command('certificate').description(
    'The server’s certificate: see it, renew it, bring another one; make devices trust it.',
  )

  add(
    certificate,
    'show [file]',
    'What is used, for which names and until when; or what is in a file.',
    show,
    far.show,
  )

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

  add(
    certificate,
    'renew',
    'Renew a certificate of the private authority now, under the same key.',
    renew,
    far.renew,
  )
    .option('--new-key', 'under a new key, which other servers learn first')
    .option('--now', 'with --new-key: at once; peers that were away are lost until they have the new card')

  add(
    certificate,
    'request',
    'Write a request (CSR) for your organisation’s own authority. The key stays here.',
    request,
    far.request,
  )
    .option('--name <name>', 'for this name; not needed once the server was started', collect)
    .option('--out <file>', 'where to (default: NAME.csr in this folder)')
    .option('--new-key', 'for a new key, which other servers learn while you wait for the certificate')
    .option('--organisation <name>', 'where your authority wants it (O)')
    .option('--country <XX>', 'where your authority wants it (C), two letters')

  add(
    certificate,
    'import <file>',
    'Take what an authority issued: PEM with its chain, or PKCS #12.',
    bring,
    far.bring,
  )
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
    far.mdm,
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
  letro certificate import server.p12 --passphrase-file p12.txt --server https://chat.clinic.example

Exit codes:
  0  done, and all is well
  1  refused, or what was looked at is not well
  2  the command line is wrong
  3  another command is changing the certificate
  4  it could not run: no such file or folder
`

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** @param doingFar the same of a running server over the network; without it the machine itself is needed */
function add(
  parent: Command,
  name: string,
  description: string,
  doing: CertificateAct,
  doingFar?: FarAct,
): Command {
  const command = parent
    .command(name)
    .description(description)
    .option('--data <folder>', "the server's data folder (server.data in letro.toml)")
    .option('--json', 'answer as JSON')
  if (doingFar) command.option('--server <url>', 'over the network, after: letro login URL')
  return command.action(
    act<CertificateOptions & ServerOptions, [string | undefined]>(async (options, ...given) => {
      const { answer, text, isUnsound } = await done(doing, doingFar, options, given[0])
      tell(options, answer, text)
      return isUnsound ? exitCodes.unsound : exitCodes.done
    }),
  )
}

async function done(
  doing: CertificateAct,
  doingFar: FarAct | undefined,
  options: CertificateOptions & ServerOptions,
  argument: string | undefined,
): Promise<Done> {
  if (options.data === undefined || options.server !== undefined) {
    if (doingFar) return doingFar(await connect(options), options, argument)
    throw new CommandFailed(
      'This is done on the server’s own machine: name its data folder with --data.',
      exitCodes.usage,
    )
  }
  const site = certificateSite(resolve(options.data), options.name)
  return refusalInWords(() =>
    // What only looks waits for nobody.
    doing === show || doing === mdm
      ? doing(site, options, argument)
      : site.folder.locked(() => doing(site, options, argument)),
  )
}

async function refusalInWords<T>(doing: () => Promise<T>): Promise<T> {
  try {
    return await doing()
  } catch (error) {
    if (error instanceof ChainRefused || error instanceof NameNotPermitted) {
      throw new CommandFailed(`Nothing was changed.\n\n${error.message}`, exitCodes.unsound)
    }
    if (error instanceof FolderLocked) throw new CommandFailed(error.message, exitCodes.inUse)
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new CommandFailed(
        'The disk is full, and nothing was changed: make room, then try again.',
        exitCodes.impossible,
      )
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new CommandFailed(
        `The data folder cannot be used (${code}). Run this as the user who runs the server, or as root.`,
        exitCodes.impossible,
      )
    }
    throw error
  }
}

/**
 * Makes and renews the certificate that the server keeps itself. The server runs this in a process of its own:
 *
 *     node make-certificate.ts make FOLDER NOW NAME…     there is one for these names after that
 *     node make-certificate.ts renew FOLDER NOW NAME…    what is due is renewed (renewal.ts)
 *
 * NOW is the server's clock, in milliseconds. What goes wrong is one sentence on stderr.
 */
import { isAbsolute } from 'node:path'
import { parseName } from './certificate-names.ts'
import { exitCodes } from './exit-codes.ts'
import { makeCertificate, renewCertificate } from './renewal.ts'
import { TlsFolder } from './tls-folder.ts'

const [act, path = '', now = '', ...names] = process.argv.slice(2)
if ((act !== 'make' && act !== 'renew') || !isAbsolute(path) || !/^[0-9]+$/.test(now) || names.length === 0) {
  process.stderr.write('make-certificate make|renew FOLDER NOW NAME…\n')
  process.exitCode = exitCodes.usage
} else {
  try {
    const folder = new TlsFolder(path)
    const parsed = names.map(nameOf)
    await folder.locked(() =>
      act === 'make'
        ? makeCertificate(folder, parsed, Number(now))
        : renewCertificate(folder, parsed, Number(now)),
    )
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = exitCodes.impossible
  }
}

function nameOf(text: string): string {
  const name = parseName(text)
  if (name === null) throw new Error(`${text} is no DNS name and no IP address`)
  return name
}

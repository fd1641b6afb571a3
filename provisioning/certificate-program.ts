/**
 * What administrators do about the server's certificate over the network. The server runs this in a process of its own, because
 * it never loads what issues certificates:
 *
 *     node certificate-program.ts DATA NOW < {"act": "show" | "check" | "renew" | "request" | "import" | "mdm", …}
 *
 * On stdout one JSON object: what the administration API answers (server/admin-api/README.md), or `{refused, reason}`. Files,
 * keys and passphrases come by stdin, and stay in memory but for what the folder keeps.
 */
import { text } from 'node:stream/consumers'
import type { JsonObject } from '#protocol/json.ts'
import { NameNotPermitted } from './certificate.ts'
import { ChainRefused, namesIn, remarksAbout } from './certificate-chain.ts'
import { type Brought, readChain, takeIn } from './certificate-import.ts'
import { issueCertificate, namesToRenew } from './certificate-issue.ts'
import { makeRequest } from './certificate-request-file.ts'
import { type CertificateSite, certificateSite } from './certificate-site.ts'
import { showSite } from './certificate-text.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { FolderLocked } from './folder-lock.ts'
import { mdmProfiles, mdmReadme, nameForDevices } from './mdm-profiles.ts'

class NeedsPassphrase extends Error {}

type Asked = Readonly<Record<string, unknown>>
type Act = (site: CertificateSite, asked: Asked, now: number) => JsonObject | Promise<JsonObject>

const acts: Readonly<Record<string, Act>> = {
  show: (site, _asked, now) => {
    const { answer, text: shown } = showSite(site, now)
    return { ...answer, text: shown }
  },

  check: async (site, asked, now) => {
    const chain = await readChain(site, brought(asked), now)
    return {
      names: namesIn(chain.leaf),
      not_before_ts: Date.parse(chain.leaf.validFrom),
      not_after_ts: Date.parse(chain.leaf.validTo),
      fingerprint_sha256: chain.leaf.fingerprint256,
      new_key: site.folder.keyInUse() !== chain.key,
      remarks: remarksAbout(chain),
    }
  },

  renew: (site, asked, now) => {
    const how = { newKey: asked['new_key'] === true, now: asked['now'] === true }
    const { certificate, next } = issueCertificate(site, namesToRenew(site), how, now)
    if (!certificate) return { state: 'waiting', spki_sha256: next!.spkiSha256 }
    return {
      state: 'in-use',
      fingerprint_sha256: certificate.fingerprint256,
      not_after_ts: Date.parse(certificate.validTo),
    }
  },

  request: (site, asked) => {
    const subject = { organisation: textOf(asked['organisation']), country: textOf(asked['country']) }
    const { names, csr, fileName, isNew } = makeRequest(site, subject, asked['new_key'] === true)
    return { csr, file_name: fileName, names, new_key: isNew }
  },

  import: async (site, asked, now) => {
    const chain = await readChain(site, brought(asked), now)
    const { leaf, state } = takeIn(site, chain, asked['now'] === true, now)
    return {
      state,
      names: namesIn(leaf),
      fingerprint_sha256: leaf.fingerprint256,
      not_after_ts: Date.parse(leaf.validTo),
      remarks: remarksAbout(chain),
    }
  },

  mdm: site => {
    const authority = site.folder.authorityCertificate()
    if (!authority) return { files: [] }
    const name = nameForDevices(site, authority)
    const files = mdmProfiles(authority, name)
    return {
      files: [
        ...files.map(({ name: file, content, use }) => ({
          name: file,
          use,
          content: Buffer.from(content).toString('base64'),
        })),
        {
          name: 'README.txt',
          use: '',
          content: Buffer.from(mdmReadme(authority, name, files)).toString('base64'),
        },
      ],
    }
  },
}

const [data = '', now = ''] = process.argv.slice(2)
const asked = JSON.parse(await text(process.stdin)) as Asked
const act = acts[String(asked['act'])]
if (!act || !/^[0-9]+$/.test(now)) process.exitCode = exitCodes.usage
else process.stdout.write(JSON.stringify(await answered(act)))

async function answered(doing: Act): Promise<JsonObject> {
  try {
    const site = certificateSite(data)
    const looks = doing === acts['show'] || doing === acts['check'] || doing === acts['mdm']
    const run = () => doing(site, asked, Number(now))
    return looks ? await run() : await site.folder.locked(run)
  } catch (error) {
    return refusal(error)
  }
}

/** What is refused is said in words; all else is a failure of this program. */
function refusal(error: unknown): JsonObject {
  if (error instanceof ChainRefused) {
    const complaints = error.complaints.map(({ code, sentence }) => ({ code, sentence }))
    return { refused: error.message, reason: 'CERTIFICATE_REFUSED', complaints }
  }
  if (error instanceof NeedsPassphrase) return { refused: error.message, reason: 'PASSPHRASE_NEEDED' }
  if (error instanceof FolderLocked) return { refused: error.message, reason: 'CERTIFICATE_BUSY' }
  if (error instanceof CommandFailed || error instanceof NameNotPermitted)
    return { refused: error.message, reason: 'CERTIFICATE_REFUSED' }
  throw error
}

function brought(given: Asked): Brought {
  const key = textOf(given['key'])
  const passphrase = textOf(given['passphrase'])
  return {
    name: 'The file',
    bytes: Buffer.from(textOf(given['file']) ?? '', 'base64'),
    ...(key === undefined ? {} : { key: { name: 'The key', pem: key } }),
    passphrase: async () => {
      if (passphrase !== undefined) return passphrase
      throw new NeedsPassphrase('It is locked by a passphrase: give it as well.')
    },
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

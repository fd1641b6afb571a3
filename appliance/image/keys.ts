/**
 * The keys that an image is signed with, in one folder:
 *
 *   secure-boot.{key,crt}   signs boot loader and kernel images; its certificate is what firmware enrols (db)
 *   platform.{key,crt}      the firmware's owner (PK), exchange.{key,crt} (KEK)
 *   tpm-policy.{key,pem}    signs which kernel images may open the data (PCR 11)
 *   update-current.{key,pem}, update-next.pem   Ed25519; an image trusts both, so that the current one can be replaced
 *   stick-*.pem             optional: whose provisioning sticks need no approval
 *
 * Made by openssl, so that they may as well come from an organisation's own ceremony. Private keys never enter an image.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { BuildFailed, type Log } from './run.ts'
import type { Tools } from './tools.ts'

const certificates = ['platform', 'exchange', 'secure-boot'] as const
const needed = [
  ...certificates.flatMap(name => [`${name}.key`, `${name}.crt`]),
  'tpm-policy.key',
  'tpm-policy.pem',
  'update-current.key',
  'update-current.pem',
  'update-next.pem',
]
const marker = 'DEVELOPMENT'

export interface Keys {
  readonly folder: string
  /** Made by a build: anybody who has the folder can sign with them, so nobody should trust them. */
  readonly development: boolean
}

/** @throws BuildFailed that names what the folder lacks */
export function givenKeys(folder: string): Keys {
  const missing = needed.filter(name => !existsSync(join(folder, name)))
  if (missing.length > 0) throw new BuildFailed(`In ${folder} there is no ${missing.join(', no ')}.`)
  return { folder, development: existsSync(join(folder, marker)) }
}

/** Made once, kept: an update must be signed as the image was. What a crash leaves is no folder of that name. */
export async function developmentKeys(folder: string, tools: Tools, log: Log): Promise<Keys> {
  if (!existsSync(folder)) {
    log.step(`Throw-away keys in ${folder}: this is a DEVELOPMENT image`)
    const fresh = `${folder}.new`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { recursive: true, mode: 0o700 })
    const openssl = (...args: string[]) => tools.run(fresh, 'openssl', args)
    for (const name of certificates) {
      await openssl(
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-sha256', '-days', '7300'],
        ...['-subj', `/CN=Letro DEVELOPMENT ${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
      )
    }
    await openssl(
      'genpkey',
      '-algorithm',
      'RSA',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-out',
      'tpm-policy.key',
    )
    await openssl('pkey', '-in', 'tpm-policy.key', '-pubout', '-out', 'tpm-policy.pem')
    for (const name of ['update-current', 'update-next']) {
      await openssl('genpkey', '-algorithm', 'ed25519', '-out', `${name}.key`)
      await openssl('pkey', '-in', `${name}.key`, '-pubout', '-out', `${name}.pem`)
    }
    for (const name of readdirSync(fresh)) chmodSync(join(fresh, name), 0o600)
    writeFileSync(join(fresh, marker), 'Made by npm run image. Never sign a release with these.\n')
    renameSync(fresh, folder)
  }
  return givenKeys(folder)
}

/** What the image carries, by name without `.pem`. */
export function publicKeys({ folder }: Keys): ReadonlyMap<string, string> {
  const names = readdirSync(folder).filter(name => /^(?:update|stick)-.*\.pem$|^tpm-policy\.pem$/.test(name))
  return new Map(names.sort().map(name => [basename(name, '.pem'), readFileSync(join(folder, name), 'utf8')]))
}

/**
 * `virtual:release`: what the app says of itself under "About": its version, and the packages in it with their licences.
 *
 * The texts come from the packages as installed; a package without one fails the build, for its licence asks for the notice.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const root = join(import.meta.dirname, '..')
const name = 'virtual:release'

/** What ends up in the browser. */
const bundled = [
  'preact',
  '@preact/signals',
  '@preact/signals-core',
  '@simplewebauthn/browser',
  'dompurify',
  'idb',
  'libsodium-sumo',
  'libsodium-wrappers-sumo',
  'marked',
  'qr',
  'workbox-core',
  'workbox-precaching',
  'workbox-routing',
  '@fontsource/ibm-plex-sans',
  '@fontsource/ibm-plex-sans-arabic',
  '@fontsource/ibm-plex-mono',
]

export interface Licence {
  readonly name: string
  readonly version: string
  readonly licence: string
  readonly text: string
}

export function licences(): Licence[] {
  return bundled.map(licenceOf)
}

export function releaseModule(): Plugin {
  const id = `\0${name}`
  return {
    name: 'letro-release',
    resolveId: wanted => (wanted === name ? id : null),
    load: wanted => {
      if (wanted !== id) return null
      const { version } = packageAt(root)
      return `export const version = ${JSON.stringify(version)}
export const licences = ${JSON.stringify(licences())}`
    },
  }
}

function licenceOf(name: string): Licence {
  const folder = join(root, 'node_modules', name)
  const { version, license } = packageAt(folder)
  const file = readdirSync(folder).find(each => /^licen[cs]e(?:-mit)?(?:\.(?:md|txt))?$/i.test(each))
  if (!file) throw new Error(`${name} has no file with its licence`)
  return { name, version, licence: license, text: readFileSync(join(folder, file), 'utf8').trim() }
}

function packageAt(folder: string): { version: string; license: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

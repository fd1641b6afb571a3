/** What mmdebstrap put into a folder: each package with its version, source and the hash of the file that it came in. */
import { readFileSync } from 'node:fs'

export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** The source package that it was built from. */
  readonly source: string
  readonly sourceVersion: string
  /** Of the .deb, hex. */
  readonly sha256: string
}

/** Hooks for mmdebstrap that write `NAME.installed` and `NAME.index` into `folder`. */
export function recordingHooks(folder: string, name: string): readonly string[] {
  const format = `\${Package}\\t\${Version}\\t\${Architecture}\\t\${source:Package}\\t\${source:Version}\\n`
  const indexes = `apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages'`
  return [
    `--customize-hook=dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${format}' > '${folder}/${name}.installed'`,
    `--customize-hook=export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; ${indexes} | xargs /usr/lib/apt/apt-helper cat-file > '${folder}/${name}.index'`,
  ]
}

export function readPackages(folder: string, name: string): DebianPackage[] {
  const hashes = new Map<string, string>()
  for (const block of readFileSync(`${folder}/${name}.index`, 'utf8').split('\n\n')) {
    const field = (wanted: string) => new RegExp(`^${wanted}: (.*)$`, 'm').exec(block)?.[1] ?? ''
    hashes.set(`${field('Package')} ${field('Version')} ${field('Architecture')}`, field('SHA256'))
  }
  return readFileSync(`${folder}/${name}.installed`, 'utf8')
    .trim()
    .split('\n')
    .map(line => {
      const [name, version, architecture, source, sourceVersion] = line.split('\t') as Five
      const sha256 = hashes.get(`${name} ${version} ${architecture}`)
      if (!sha256) throw new Error(`the mirror's index does not name ${name} ${version}`)
      return { name, version, architecture, source, sourceVersion, sha256 }
    })
}

type Five = [string, string, string, string, string]

/**
 * What an image is made of, as CycloneDX 1.6: packages of npm and of Debian with version and hash, and what of the tools
 * ends in it (kernel, boot loader, microcode, firmware).
 */
import type { DebianPackage } from './debian-packages.ts'
import { architecture, product, suite } from './layout.ts'

/** The part of package-lock.json that is read. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

/** Tool packages of which files are in the image. */
export function isPartOfImage({ name }: DebianPackage): boolean {
  return /^(?:linux-image-[0-9]|systemd-boot-efi|intel-microcode$|amd64-microcode$|firmware-)/.test(name)
}

export function sbom(
  version: string,
  epoch: number,
  lock: Lock,
  debian: readonly DebianPackage[],
): Record<string, unknown> {
  const components = [...npmComponents(lock), ...debian.map(debianComponent)]
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: { type: 'operating-system', name: product, version, 'bom-ref': `${product}@${version}` },
    },
    components: components.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
  }
}

type Component = { readonly 'bom-ref': string; readonly [member: string]: unknown }

function npmComponents({ packages }: Lock): Component[] {
  return Object.entries(packages).flatMap(([path, entry]) => {
    const { version, integrity, license } = entry
    if (path === '' || entry.dev || version === undefined || !runsHere(entry)) return []
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    const hash = /^sha512-(.+)$/.exec(integrity ?? '')?.[1]
    return [
      {
        'bom-ref': path === `node_modules/${name}` ? purl : `${purl}#${path}`,
        type: 'library',
        name,
        version,
        purl,
        ...(license === undefined ? {} : { licenses: [{ license: { name: license } }] }),
        ...(hash === undefined
          ? {}
          : { hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }] }),
      },
    ]
  })
}

function runsHere({ os, cpu, libc }: LockedPackage): boolean {
  const takes = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.includes(value)
  return takes(os, 'linux') && takes(cpu, 'x64') && takes(libc, 'glibc')
}

function debianComponent({
  name,
  version,
  architecture: of,
  source,
  sourceVersion,
  sha256,
}: DebianPackage): Component {
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${of}&distro=${suite}`
  return {
    'bom-ref': purl,
    type: 'library',
    name,
    version,
    purl,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    properties: [
      { name: 'letro:source', value: `${source}@${sourceVersion}` },
      { name: 'letro:architecture', value: architecture },
    ],
  }
}

/** A machine that is none: its folders lie in a temporary one, its media are folders, its programs are the few that a stick needs. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { paths } from '../../appliance/paths.ts'
import { type Machine, openRun } from '../../appliance/program.ts'

export interface FakeMedium {
  readonly device: string
  readonly label: string
  readonly type?: string
  readonly partLabel?: string
  /** Absent: it cannot be mounted. */
  readonly folder?: string
}

export function fakeMachine(t: ExecutionContext, media: FakeMedium[] = []) {
  const root = mkdtempSync(join(tmpdir(), 'letro-machine-'))
  // Others may look in: the server's user is another one.
  chmodSync(root, 0o755)
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const at = (path: string) => join(root, path)
  const called: string[] = []
  let mounted = false
  for (const folder of ['run/letro', 'var/lib/letro/site', 'proc/sys/kernel', 'keys'])
    mkdirSync(at(folder), { recursive: true })
  const machine: Machine = {
    root,
    paths: {
      ...paths,
      program: join(import.meta.dirname, '../..'),
      release: at('release.json'),
      keys: at('keys'),
      data: at('var/lib/letro'),
      site: at('var/lib/letro/site'),
      configFile: at('var/lib/letro/site/letro.toml'),
      settings: at('var/lib/letro/appliance'),
      run: at('run/letro'),
      stick: at('run/letro/stick'),
    },
    runAsServer: openRun(),
    run: async (program, args) => {
      called.push([program, ...args].join(' '))
      const ok = { code: 0, stdout: '', stderr: '' }
      if (program === 'blkid') return { ...ok, stdout: media.map(blkid).join('\n\n') }
      if (program === 'mount') {
        const medium = media.find(({ device }) => device === args.at(-2))
        if (medium?.folder === undefined) return { ...ok, code: 32, stderr: 'wrong fs type' }
        rmdirSync(args.at(-1)!)
        symlinkSync(medium.folder, args.at(-1)!)
        mounted = true
      }
      if (program === 'umount' && mounted) {
        unlinkSync(args.at(-1)!)
        mkdirSync(args.at(-1)!)
        mounted = false
      }
      return ok
    },
  }
  const stick = (files: Record<string, string | Uint8Array>): string => {
    const folder = mkdtempSync(join(root, 'stick-'))
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    return folder
  }
  return { machine, at, called, stick, isMounted: () => mounted }
}

function blkid({ device, label, type = 'vfat', partLabel }: FakeMedium): string {
  return `DEVNAME=${device}\nLABEL=${label}\nUUID=1234-ABCD\nTYPE=${type}${partLabel ? `\nPARTLABEL=${partLabel}` : ''}`
}

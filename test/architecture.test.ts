/**
 * Who may import whom: the table of the design, as a test. Every import of every source file is held
 * against its folder's row: our own folders on one side, packages and Node builtins on the other.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import test from 'ava'

const root = join(import.meta.dirname, '..')

/** The domain, lowest first: an area may import those before it. */
const domain = ['peers', 'rooms', 'accounts', 'keys', 'media', 'push', 'sync'].map(area => `server/${area}`)
const domainPackages: Record<string, string[]> = {
  'server/peers': [],
  'server/rooms': [],
  'server/accounts': ['@simplewebauthn/server'],
  'server/keys': [],
  'server/media': [
    'sharp',
    'node:fs',
    'node:fs/promises',
    'node:path',
    'node:stream',
    'node:stream/promises',
  ],
  'server/push': ['web-push'],
  'server/sync': [],
}
const edges = ['server/client-api', 'server/admin-api', 'server/federation-api']
const edgePackages = [
  'csv-parse',
  'koa',
  '@koa/router',
  'node:buffer',
  'node:fs',
  'node:fs/promises',
  'node:path',
  'node:stream',
  'node:url',
]

interface Row {
  /** Our folders (or files) that it may import, itself always included. */
  ours: string[]
  packages: string[]
}

/** Longest prefix wins. */
const table: Record<string, Row> = {
  'server/protocol': { ours: [], packages: [] },
  'server/store': {
    ours: ['server/protocol'],
    packages: ['classic-level', 'node:fs', 'node:fs/promises', 'node:path', 'node:zlib', 'node:crypto'],
  },
  ...Object.fromEntries(
    domain.map((area, i) => [
      area,
      {
        ours: ['server/protocol', 'server/store', ...domain.slice(0, i)],
        packages: ['node:crypto', ...domainPackages[area]!],
      },
    ]),
  ),
  'server/http': {
    ours: ['server/protocol'],
    packages: [
      'koa',
      '@koa/router',
      'node:http',
      'node:https',
      'node:net',
      'node:tls',
      'node:fs',
      'node:buffer',
      'node:crypto',
    ],
  },
  'server/federation': {
    ours: ['server/protocol', 'server/http', ...domain],
    packages: ['node:crypto', 'node:http', 'node:https', 'node:stream', 'node:tls'],
  },
  // It looks at what the others are, and changes nothing of theirs.
  'server/health': {
    ours: ['server/protocol', 'server/http', 'server/store', ...domain],
    packages: [
      'systeminformation',
      'node:child_process',
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:os',
      'node:path',
      'node:perf_hooks',
      'node:timers/promises',
      'node:tls',
    ],
  },
  ...Object.fromEntries(
    edges.map(edge => [
      edge,
      {
        ours: [
          'server/http',
          'server/protocol',
          'server/health',
          'server/backup',
          'server/updates',
          ...domain,
        ],
        packages: ['node:crypto', ...edgePackages],
      },
    ]),
  ),
  // Reading backups needs no server: the command `letro` restores while none runs.
  'server/backup': {
    ours: ['server/protocol', 'server/store', 'server/rooms/primitives.ts'],
    packages: ['age-encryption', 'node:*'],
  },
  // Asks the appliance's updater, a program of its own.
  'server/updates': {
    ours: ['server/protocol'],
    packages: ['node:fs', 'node:fs/promises', 'node:net', 'node:path', 'node:readline'],
  },
  // app.ts is the only place where areas are wired; main, config and the worker process stand beside it.
  server: { ours: ['server'], packages: ['*'] },
  'server/trust-page': {
    ours: ['server/protocol'],
    packages: ['node:crypto', 'node:fs', 'node:http', 'node:module', 'node:net', 'node:path'],
  },
  pwa: {
    ours: ['server/protocol'],
    packages: [
      'preact',
      '@preact/signals',
      '@simplewebauthn/browser',
      'dompurify',
      'marked',
      'qr',
      'virtual:release',
      'workbox-precaching',
      'workbox-routing',
    ],
  },
  'pwa/api': { ours: ['server/protocol', 'pwa/e2ee'], packages: [] },
  'pwa/sync': { ours: ['server/protocol', 'pwa/e2ee', 'pwa/vault', 'pwa/api'], packages: [] },
  'pwa/outbox': { ours: ['server/protocol', 'pwa/e2ee', 'pwa/vault', 'pwa/api', 'pwa/sync'], packages: [] },
  'pwa/trust': { ours: ['server/protocol', 'pwa/e2ee', 'pwa/vault', 'pwa/api'], packages: [] },
  'pwa/i18n': { ours: [], packages: ['@preact/signals'] },
  'pwa/vault': { ours: ['server/protocol', 'pwa/e2ee'], packages: ['idb', 'libsodium-wrappers-sumo'] },
  'pwa/e2ee': { ours: ['server/protocol'], packages: ['libsodium-wrappers-sumo'] },
  provisioning: {
    // `letro init` writes what config.ts will read: both hold an origin for the same thing.
    ours: ['server/config-values.ts', 'server/protocol', 'server/store', 'server/backup'],
    packages: ['commander', 'node-forge', 'qrcode', 'age-encryption', 'node:*'],
  },
  appliance: { ours: ['server/protocol'], packages: ['node:*'] },
  // Builds the image; nothing of it runs there.
  'appliance/image': { ours: ['appliance', 'server/protocol'], packages: ['rolldown', 'node:*'] },
  'appliance/console': { ours: ['appliance', 'server/protocol'], packages: ['qrcode', 'node:*'] },
}

interface Import {
  file: string
  specifier: string
}

test('every import goes in a direction that the design allows', t => {
  const wrong = imports().filter(({ file, specifier }) => !allowed(file, specifier))
  t.deepEqual(
    wrong.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  )
})

test('the table refuses what it should', t => {
  t.false(allowed('server/protocol/x.ts', 'node:crypto'))
  t.false(allowed('server/rooms/x.ts', '../accounts/y.ts'))
  t.true(allowed('server/accounts/x.ts', '../rooms/y.ts'))
  t.false(allowed('server/rooms/x.ts', 'koa'))
  t.false(allowed('server/client-api/x.ts', '../admin-api/y.ts'))
  t.false(allowed('server/client-api/x.ts', '../store/y.ts'))
  t.false(allowed('server/client-api/x.ts', 'classic-level'))
  t.true(allowed('provisioning/x.ts', '#protocol/ids.ts'))
  t.false(allowed('provisioning/x.ts', '../server/rooms/y.ts'))
})

test('imports within server/ form no circle between folders', t => {
  const uses = new Map<string, Set<string>>()
  for (const { file, specifier } of imports()) {
    const from = folderOf(file)
    const to = folderOf(resolveOurs(file, specifier) ?? '')
    if (!from || !to || from === to) continue
    uses.set(from, (uses.get(from) ?? new Set()).add(to))
  }
  const finished = new Set<string>()
  const visit = (folder: string, path: string[]): string[] | null => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder]
    if (finished.has(folder)) return null
    for (const next of uses.get(folder) ?? []) {
      const circle = visit(next, [...path, folder])
      if (circle) return circle
    }
    finished.add(folder)
    return null
  }
  for (const folder of uses.keys()) t.is(visit(folder, []), null)
})

function folderOf(file: string): string | null {
  return /^server\/[a-z-]+(?=\/)/.exec(file)?.[0] ?? null
}

function allowed(file: string, specifier: string): boolean {
  const place = rowOf(file)
  if (!place) return true
  const [folder, row] = place
  const ours = resolveOurs(file, specifier)
  if (ours !== null)
    return [folder, ...row.ours].some(allow => ours === allow || ours.startsWith(`${allow}/`))
  return row.packages.some(
    allow =>
      allow === '*' ||
      allow === specifier ||
      specifier.startsWith(`${allow}/`) ||
      (allow === 'node:*' && specifier.startsWith('node:')),
  )
}

function rowOf(file: string): [string, Row] | null {
  const prefixes = Object.keys(table).filter(prefix => file.startsWith(`${prefix}/`))
  const longest = prefixes.sort((a, b) => b.length - a.length)[0]
  return longest ? [longest, table[longest]!] : null
}

/** The imported file's path from the root; null for a package or builtin. */
function resolveOurs(file: string, specifier: string): string | null {
  if (specifier.startsWith('#protocol/')) return `server/protocol/${specifier.slice('#protocol/'.length)}`
  if (!specifier.startsWith('.')) return null
  return normalize(join(dirname(file), specifier))
    .split(sep)
    .join('/')
}

function imports(): Import[] {
  const found: Import[] = []
  for (const top of ['server', 'pwa', 'provisioning', 'appliance']) {
    for (const file of sources(join(root, top))) {
      const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
      const pattern =
        /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]/g
      for (const match of text.matchAll(pattern)) {
        found.push({
          file: relative(root, file).split(sep).join('/'),
          specifier: (match[1] ?? match[2] ?? match[3])!,
        })
      }
    }
  }
  return found
}

function sources(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
    .map(name => join(folder, name))
}

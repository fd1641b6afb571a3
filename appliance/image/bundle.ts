/**
 * The program's modules become few files: Node's loader takes longer over 800 small modules than everything else that a
 * start does. What is started by name stays at its place, and its name is a link to the bundle; what several of them need
 * lies in `chunks/`. Nothing is renamed or shortened: who reads a stack trace finds the function.
 *
 * A module's own place (import.meta.dirname and the like) is written into it, as if it still lay where it will be installed.
 */
import { symlinkSync } from 'node:fs'
import http from 'node:http'
import { basename, dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Plugin, rolldown } from 'rolldown'
import { packagesApart } from './node-modules.ts'
import { BuildFailed } from './run.ts'
import { entriesOf } from './trees.ts'

/** Everything that a unit or another program of ours starts. */
export const entries = [
  'appliance/console/main.ts',
  'appliance/disk/gate-main.ts',
  'appliance/disk/open-main.ts',
  'appliance/disk/report-main.ts',
  'appliance/network/clock-unit.ts',
  'appliance/network/firewall-unit.ts',
  'appliance/network/network-unit.ts',
  'appliance/update/main.ts',
  'provisioning/certificate-program.ts',
  'provisioning/letro.ts',
  'provisioning/make-certificate.ts',
  'server/backup/sealer-main.ts',
  'server/health/machine-probe.ts',
  'server/main.ts',
  'server/worker-main.ts',
] as const

export interface BundleParts {
  /** Our modules, package.json and node_modules. */
  readonly from: string
  /** Where the bundle is written: entries at their places, and chunks/. */
  readonly to: string
  /** Where `to` will be when it runs. */
  readonly installed: string
}

/**
 * @throws BuildFailed where a module starts a program that is no entry, or a package brings native code
 */
export async function bundle({ from, to, installed }: BundleParts): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(entries.map(path => [withoutEnding(path), join(from, path)])),
    cwd: from,
    platform: 'node',
    tsconfig: false,
    resolve: { symlinks: false },
    external: specifier => packagesApart.some(name => specifier === name || specifier.startsWith(`${name}/`)),
    plugins: [originalPlaces(from, installed), httpWithoutFetch()],
    logLevel: 'warn',
    onLog: (_level, log) => {
      // Koa's deprecations are wrapped by an eval, which only sees its own variables.
      if (log.code === 'EVAL') return
      throw new BuildFailed(`The bundle: ${log.message}`)
    },
  })
  try {
    const { output } = await build.write({
      dir: to,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name].js',
      keepNames: true,
      minifyInternalExports: false,
      comments: { legal: true, annotation: false, jsdoc: false },
    })
    for (const path of entries) symlinkSync(`${withoutEnding(basename(path))}.js`, join(to, path))
    const modules = output.flatMap(file => (file.type === 'chunk' ? file.moduleIds : []))
    for (const name of new Set(modules.flatMap(id => packageOf(relative(from, id)) ?? [])))
      if (entriesOf(join(from, 'node_modules', name)).some(path => /\.(?:node|wasm)$/.test(path)))
        throw new BuildFailed(
          `The package ${name} has native code: it belongs to packagesApart (node-modules.ts).`,
        )
  } finally {
    await build.close()
  }
}

/** Of `node_modules/a/node_modules/@b/c/index.js`: `a/node_modules/@b/c`. */
function packageOf(path: string): string | null {
  return /^node_modules\/((?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null
}

function originalPlaces(from: string, installed: string): Plugin {
  return {
    name: 'original-places',
    transform: {
      filter: { code: /import\.meta\.(?:dirname|filename|url)\b|\b__(?:dirname|filename)\b/ },
      handler(code, id) {
        const path = relative(from, id)
        for (const [, program] of code.matchAll(/import\.meta\.dirname, '([^']+\.ts)'/g))
          if (!(entries as readonly string[]).includes(join(dirname(path), program!)))
            throw new BuildFailed(
              `${path} starts ${program}, which is not in the list of entries (bundle.ts).`,
            )
        const place = join(installed, path)
        return code
          .replaceAll(/\bimport\.meta\.url\b/g, JSON.stringify(pathToFileURL(place).href))
          .replaceAll(/\b(?:import\.meta\.|__)filename\b/g, JSON.stringify(place))
          .replaceAll(/\b(?:import\.meta\.|__)dirname\b/g, JSON.stringify(dirname(place)))
      },
    },
  }
}

/**
 * As an ES module, node:http is read member by member, and with its `WebSocket` comes Node's whole client for fetch: more
 * than anything else of Node that a server starts with. The same comes of Koa asking whether a body is fetch's `Response`.
 */
function httpWithoutFetch(): Plugin {
  const names = Object.entries(Object.getOwnPropertyDescriptors(http))
    .filter(([name, member]) => 'value' in member && name !== 'default')
    .map(([name]) => name)
  const id = '\0node:http'
  return {
    name: 'http-without-fetch',
    resolveId: {
      filter: { id: /^(?:node:)?http$/ },
      handler: (_specifier, _importer, { kind }) => (kind === 'require-call' ? null : id),
    },
    load: {
      filter: { id: /^\0node:http$/ },
      handler: () =>
        `const http = process.getBuiltinModule('node:http')
export const { ${names.join(', ')} } = http
export default http
`,
    },
    transform: {
      filter: { id: /\/node_modules\/koa\/lib\//, code: /instanceof Response\b/ },
      handler: code => code.replaceAll(/\binstanceof Response\b/g, "?.[Symbol.toStringTag] === 'Response'"),
    },
  }
}

function withoutEnding(path: string): string {
  return path.slice(0, -'.ts'.length)
}

/**
 * `npm run image:sources [-- --out DIR]`: the source packages of everything of Debian that is in the image, in exactly
 * these versions, as its licences ask whoever hands an image on. Needs the lists that a build has left in the cache.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { baseRoot } from './base-root.ts'
import { suite } from './layout.ts'
import { parseOptions } from './main.ts'
import { BuildFailed, Log } from './run.ts'
import { isPartOfImage } from './sbom.ts'
import { hostMustDo, Tools } from './tools.ts'

try {
  const { build } = parseOptions(process.argv.slice(2))
  const log = new Log(join(build.out, 'sources.log'))
  hostMustDo(build.cache)
  const tools = await Tools.ready(build.cache, log)
  const { packages } = await baseRoot(tools, build.cache, false, 0, log)
  const out = join(build.out, 'sources')
  mkdirSync(out, { recursive: true })
  const all = [...packages, ...tools.packages.filter(isPartOfImage)]
  const wanted = [...new Set(all.map(each => `${each.source}=${each.sourceVersion}`))].sort()
  log.step(`${wanted.length} source packages`)
  // The mirrors that the tools came from, asked for sources.
  const script = `
    sed 's/^deb /deb-src /' /etc/apt/sources.list > /etc/apt/sources.list.d/sources.list
    trap 'rm /etc/apt/sources.list.d/sources.list' EXIT
    apt-get update -q
    apt-get source -q --download-only -o APT::Sandbox::User=root "$@"`
  await tools.run(out, 'sh', ['-ec', script, 'sh', ...wanted])
  writeFileSync(join(out, 'PACKAGES'), `${suite}\n${wanted.join('\n')}\n`)
  log.step(`Done: ${out}`)
} catch (error) {
  console.error(
    `\nNot all sources were collected. ${error instanceof BuildFailed ? error.message : String((error as Error).stack)}`,
  )
  process.exitCode = 1
}

/**
 * `npm run image:verify [-- --packages]`: builds twice, in two folders, and compares byte by byte. With `--packages` the
 * second build takes Debian's packages from the mirror anew. What is signed is compared before and after signing: whoever
 * has no keys rebuilds root, hash tree and unsigned kernel image, and finds the released ones.
 */
import { join, resolve } from 'node:path'
import { sha256Of } from './checksums.ts'
import { type Built, buildImage, parseOptions } from './main.ts'
import { BuildFailed, Log } from './run.ts'

const isAnew = process.argv.includes('--packages')
const { build } = parseOptions(process.argv.slice(2).filter(arg => arg !== '--packages'))
try {
  const builds: Built[] = []
  for (const name of ['first', 'second']) {
    const out = resolve(build.out, `verify-${name}`)
    console.log(`\nThe ${name} build`)
    const fresh = build.fresh || (isAnew && name === 'second')
    builds.push(await buildImage({ ...build, out, fresh }, new Log(join(out, 'build.log'))))
  }
  const [first, second] = builds as [Built, Built]
  const differing = (['unsignedUki', 'update', 'sbom', 'disk'] as const).filter(what => {
    const hashes = [sha256Of(first[what]), sha256Of(second[what])]
    const same = hashes[0] === hashes[1]
    console.log(`${same ? 'same     ' : 'DIFFERENT'} ${what}  ${[...new Set(hashes)].join('  ')}`)
    return !same
  })
  if (differing.length > 0) throw new BuildFailed(`Two builds differ: ${differing.join(', ')}.`)
  console.log('\nTwo builds, the same bytes.')
} catch (error) {
  console.error(`\n${error instanceof BuildFailed ? error.message : String((error as Error).stack)}`)
  process.exitCode = 1
}

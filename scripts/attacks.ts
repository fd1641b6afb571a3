/**
 * `npm run attacks [-- NUMBER…]`: takes each defence of `test/e2ee/attacks/defences.ts` out of a copy of the
 * source and expects the test of that attack, and not only any test, to fail. Ends with 1 if one of them still
 * passes, if a defence is not where the list says, or if an attack has no entry.
 */
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Defence, defences } from '../test/e2ee/attacks/defences.ts'

const attackCount = 21
const root = resolve(import.meta.dirname, '..')
/** All that the tests of the client need. */
const copied = [
  'package.json',
  'ava.config.js',
  'pwa',
  'server/protocol',
  'test/e2ee',
  'test/vault',
  'test/support',
]

const wanted = process.argv.slice(2).map(Number)
const chosen = defences.filter(({ attack }) => wanted.length === 0 || wanted.includes(attack))
const failures: string[] = []
const waiting = [...chosen]
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const problem = await tryWithout(next)
      console.log(
        problem ? `FAILED ${problem}` : `ok     attack ${next.attack} succeeds without ${next.file}`,
      )
      if (problem) failures.push(problem)
    }
  }),
)
const known = new Set(defences.map(({ attack }) => attack))
for (let attack = 1; attack <= attackCount && wanted.length === 0; attack++) {
  if (known.has(attack)) continue
  failures.push(`attack ${attack}`)
  console.log(`FAILED attack ${attack}: no defence is listed`)
}
console.log(`defences: ${chosen.length} taken out, ${failures.length} problems`)
process.exit(failures.length === 0 ? 0 : 1)

/** Null, or what is wrong. */
async function tryWithout({ attack, file, defence, without }: Defence): Promise<string | null> {
  const source = await readFile(join(root, file), 'utf8')
  const places = source.split(defence).length - 1
  if (places !== 1) return `attack ${attack}: the defence is ${places} times in ${file}`
  const copy = await mkdtemp(join(tmpdir(), 'letro-attack-'))
  try {
    for (const path of copied) await cp(join(root, path), join(copy, path), { recursive: true })
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
    await writeFile(
      join(copy, file),
      source.replace(defence, () => without),
    )
    const output = await runTest(copy, attack)
    const red = new RegExp(`^\\s*✘ .*attack ${attack}: `, 'm')
    if (red.test(output)) return null
    return `attack ${attack}: its test does not fail without the defence in ${file}\n${output}`
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

function runTest(folder: string, attack: number): Promise<string> {
  return new Promise((done, fail) => {
    const args = ['test/e2ee/attacks/**/*.test.ts', '--match', `attack ${attack}: *`]
    const ava = spawn(join(root, 'node_modules/.bin/ava'), args, {
      cwd: folder,
      env: { ...process.env, FORCE_COLOR: '0' },
    })
    let output = ''
    for (const stream of [ava.stdout, ava.stderr]) stream.on('data', chunk => (output += chunk))
    ava.once('error', fail)
    ava.once('close', () => done(output))
  })
}

/**
 * `npm test [-- FILES]`: the whole ordinary suite; `npm run interop`: the stage against other implementations.
 * Brings the browser where the machine has none, builds the app once, and says how many tests ran.
 */
import { spawn, spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { installChromium } from '../test/support/chromium.ts'

const args = process.argv.slice(2)
const started = Date.now()
installChromium()
// Once, and not by each test file that opens the app.
const { status: built } = spawnSync('node', ['scripts/build.ts', '--if-changed'], { stdio: 'inherit' })
if (built !== 0) process.exit(built ?? 1)

// Every test file is a process of its own: what one has compiled, the next one finds.
const env = {
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/tests'),
  ...process.env,
  LETRO_TEST_APP: 'built',
  FORCE_COLOR: '0',
}
const counts = { passed: 0, failed: 0, skipped: 0 }
const e2e = ['--config', 'ava.e2e.config.js']
const isOfE2e = args.length > 0 && args.every(arg => /^test\/(?:e2e|federation\/processes)\//.test(arg))
const parts = args.length === 0 ? [[], e2e] : [isOfE2e ? [...e2e, ...args] : args]
let worst = 0
for (const part of parts) worst = Math.max(worst, await run(part))
console.log(`${Math.round((Date.now() - started) / 1000)} s`)
const { passed, failed, skipped } = counts
console.log(`tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(worst)

function run(part: readonly string[]): Promise<number> {
  const ava = spawn('ava', [...part], { stdio: ['ignore', 'pipe', 'inherit'], env })
  createInterface({ input: ava.stdout }).on('line', line => {
    console.log(line)
    if (/^\s*✔ /.test(line)) counts.passed++
    else if (/^\s*✘ /.test(line)) counts.failed++
    else if (/^\s*- \S/.test(line)) counts.skipped++
  })
  return new Promise(done => ava.on('close', code => done(code ?? 1)))
}

/**
 * `npm test [-- FILES]`: the whole ordinary suite; `npm run interop`: the stage against other implementations.
 * Brings the browser where the machine has none, and says how many tests ran.
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
  LETRO_TEST_APP: 'built',
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/tests'),
  ...process.env,
  FORCE_COLOR: '0',
}
const ava = spawn('ava', args, {
  stdio: ['ignore', 'pipe', 'inherit'],
  env,
})
let passed = 0
let failed = 0
let skipped = 0
createInterface({ input: ava.stdout }).on('line', line => {
  console.log(line)
  if (/^\s*✔ /.test(line)) passed++
  else if (/^\s*✘ /.test(line)) failed++
  else if (/^\s*- \S/.test(line)) skipped++
})
ava.on('close', code => {
  console.log(`${Math.round((Date.now() - started) / 1000)} s`)
  console.log(`tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exit(code ?? 1)
})

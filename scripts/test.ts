/**
 * `npm test [-- FILES]`: the whole ordinary suite; `npm run interop`: the stage against other implementations.
 * Brings the browser where the machine has none, builds the app once, and says how many tests ran.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { installChromium } from '../test/support/chromium.ts'
import { bringProgram, canInstall } from '../test/support/debian-package.ts'
import { installCertutil } from '../test/support/trusting-chromium.ts'

const args = process.argv.slice(2)
const started = Date.now()
installChromium()
// Before the tests: not while another one brings something else.
if (canInstall()) {
  installCertutil()
  bringProgram('/usr/sbin/nft', 'nftables')
}
// Once, and not by each test file that opens the app.
const { status: built } = spawnSync('node', ['scripts/build.ts', '--if-changed'], { stdio: 'inherit' })
if (built !== 0) process.exit(built ?? 1)

const scratch = scratchFolder()
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
const env = {
  // Every test file is a process of its own: what one has compiled, the next one finds.
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/tests'),
  ...process.env,
  TMPDIR: scratch,
  LETRO_TEST_APP: 'built',
  FORCE_COLOR: '0',
}
const counts = { passed: 0, failed: 0, skipped: 0 }
const e2e = ['--config', 'ava.e2e.config.js']
const isOfE2e = args.length > 0 && args.every(arg => /^test\/(?:e2e|federation\/processes)\//.test(arg))
const parts = args.length === 0 ? [[], e2e] : [isOfE2e ? [...e2e, ...args] : args]
// Side by side: while one waits for browsers and for servers, the other one has work.
let before: Promise<number> = Promise.resolve(0)
const codes = parts.map(part => {
  const code = run(part, before)
  before = code
  return code
})
const worst = Math.max(...(await Promise.all(codes)))
console.log(`${Math.round((Date.now() - started) / 1000)} s`)
const { passed, failed, skipped } = counts
console.log(`tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(worst)

/** What it says is shown once the part before it has said everything. */
function run(part: readonly string[], beforeIt: Promise<number>): Promise<number> {
  const ava = spawn('ava', [...part], { stdio: ['ignore', 'pipe', 'pipe'], env })
  let held: string[] | null = []
  const show = (line: string) => (held === null ? console.log(line) : held.push(line))
  beforeIt.then(() => {
    for (const line of held ?? []) console.log(line)
    held = null
  })
  createInterface({ input: ava.stderr }).on('line', show)
  createInterface({ input: ava.stdout }).on('line', line => {
    show(line)
    if (/^\s*✔ /.test(line)) counts.passed++
    else if (/^\s*✘ /.test(line)) counts.failed++
    else if (/^\s*- \S/.test(line)) counts.skipped++
  })
  return new Promise(done => {
    ava.on('close', async code => {
      await beforeIt
      done(code ?? 1)
    })
  })
}

/**
 * In memory where the machine has enough of it: servers make every message durable before they answer, and a slow disk
 * would be half of the time. `TMPDIR` names another place.
 */
function scratchFolder(): string {
  const place = process.env['TMPDIR'] === undefined && canTake('/dev/shm') ? '/dev/shm' : tmpdir()
  return mkdtempSync(join(place, 'letro-tests-'))
}

/** Room for what all tests leave, and programs may be run there. */
function canTake(folder: string): boolean {
  const program = join(folder, `letro-tests-${process.pid}`)
  try {
    const { bavail, bsize } = statfsSync(folder)
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 })
    return bavail * bsize > 8 * 2 ** 30 && spawnSync(program).status === 0
  } catch {
    return false
  } finally {
    rmSync(program, { force: true })
  }
}

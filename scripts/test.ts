/**
 * `npm test [-- FILES]`: the whole ordinary suite; `npm run interop`: the stage against other implementations.
 * Brings the browser where the machine has none, and says how many tests ran.
 */
import { spawn } from 'node:child_process'
import { installChromium } from '../test/support/chromium.ts'

const args = process.argv.slice(2)
const started = Date.now()
installChromium()

const ava = spawn('ava', args, {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, FORCE_COLOR: '0' },
})
let tail = ''
ava.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk)
  tail = (tail + chunk.toString()).slice(-4_000)
})
ava.on('close', code => {
  const count = (pattern: RegExp) => Number(pattern.exec(tail)?.[1] ?? 0)
  const passed = count(/(\d+) tests? passed/)
  const failed = count(/(\d+) tests? failed/) + count(/(\d+) (?:uncaught|unhandled)/)
  const skipped = count(/(\d+) tests? skipped/)
  console.log(`${Math.round((Date.now() - started) / 1000)} s`)
  console.log(`tests: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exit(code ?? 1)
})

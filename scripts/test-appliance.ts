/**
 * `npm run test:appliance [-- --full] [--images FOLDER] [FILES]`: builds three releases of the image (this one, the next, and one
 * whose server does not start) and boots them in QEMU. Needs root on Debian 12 or newer on amd64; brings the rest. What is missing
 * is a failure with its reason, never a pass. With --images what an earlier run built is taken.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { findAccelerator } from '../test/appliance/machines/accelerator.ts'
import type { Prepared, Release } from '../test/appliance/machines/settings.ts'
import { makeTools } from '../test/appliance/machines/tools-folder.ts'

const { values, positionals } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    images: { type: 'string' },
    cache: { type: 'string', default: join(homedir(), '.cache', 'letro-image') },
  },
  allowPositionals: true,
})
const started = performance.now()
const folder = resolve('dist/machines')
const images = resolve(values.images ?? join(folder, 'images'))
const machines = join(folder, 'run')
let isRootOurs = false
const machineTests = 'test/appliance/machines'

try {
  const counts = await run()
  console.log(`${seconds()} s; what machines left behind lies in ${machines}`)
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
  // A run without a test is no success.
  process.exit(counts.failed === 0 && counts.passed > 0 && counts.status === 0 ? 0 : 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed')
  process.exit(1)
}

async function run() {
  say('The tools of the machines')
  const tools = makeTools(values.cache)
  const accelerator = await findAccelerator(tools)
  say(
    accelerator === 'kvm'
      ? 'KVM boots a kernel: it is used'
      : 'No KVM that boots a kernel: software emulation',
  )
  const prepared: Prepared = {
    ...{ tools: tools.folder, accelerator, folder: machines },
    current: build('0.9.1'),
    next: build('0.9.2'),
    broken: build('0.9.3', brokenServer()),
  }
  rmSync(machines, { recursive: true, force: true })
  mkdirSync(machines, { recursive: true })
  const file = join(machines, 'prepared.json')
  writeFileSync(file, JSON.stringify(prepared, null, 2))
  say('Machines')
  return await test(file)
}

/** @throws where it does not build */
function build(version: string, overlay?: string): Release {
  const name = join(images, `letro-${version}-amd64`)
  const release = { version, image: `${name}.img`, update: `${name}.update` }
  if (values.images !== undefined && existsSync(release.image) && existsSync(release.update)) return release
  say(`Building ${version}${overlay ? ', whose server does not start' : ''}`)
  mkdirSync(images, { recursive: true })
  const root = join(images, 'root')
  const options = {
    ...{ version, counter: '1', out: images, formats: 'raw', cache: values.cache, 'keep-root': root },
    // Made by this run, from this tree.
    ...(isRootOurs ? { root } : {}),
    ...(overlay ? { overlay } : {}),
  }
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value])
  const { status } = spawnSync('node', ['appliance/image/main.ts', ...args], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`The image ${version} was not built.`)
  isRootOurs = true
  return release
}

/** Laid over the image: the unit starts a server that ends at once. */
function brokenServer(): string {
  const overlay = join(folder, 'broken')
  const server = join(overlay, 'usr/lib/letro/server')
  mkdirSync(server, { recursive: true })
  writeFileSync(
    join(server, 'main.ts'),
    "console.error('This release was broken for a test.')\nprocess.exit(1)\n",
  )
  return overlay
}

function test(prepared: string): Promise<{ passed: number; failed: number; status: number }> {
  const all = values.full ? [`${machineTests}/**/*.test.ts`] : [`${machineTests}/*.test.ts`]
  const files = positionals.length > 0 ? positionals : all
  const env = { ...process.env, LETRO_MACHINES: prepared, FORCE_COLOR: '0' }
  const ava = spawn('ava', ['--config', 'ava.appliance.config.js', ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  })
  const counts = { passed: 0, failed: 0 }
  createInterface({ input: ava.stdout }).on('line', line => {
    console.log(line)
    if (/^\s*✔ /.test(line)) counts.passed++
    else if (/^\s*✘ /.test(line)) counts.failed++
  })
  return new Promise(done => ava.on('close', code => done({ ...counts, status: code ?? 1 })))
}

function say(sentence: string): void {
  console.log(`${String(seconds()).padStart(4)} s  ${sentence}`)
}

function seconds(): number {
  return Math.round((performance.now() - started) / 1000)
}

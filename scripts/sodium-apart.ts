/**
 * libsodium as the app loads it: its WASM in a file of its own, with the functions that the app calls and no others.
 *
 * The package carries the whole library as base64 in a script: a third larger on its way than a file, and more than half
 * of it nobody calls. What is left is the published code of these functions, unchanged. Where a new version looks
 * otherwise, the build fails.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import binaryen from 'binaryen'
import type { Plugin } from 'vite'

const pwa = join(import.meta.dirname, '../pwa')
/** With these the wrapper tests itself at its start. */
const calledByWrapper = ['crypto_secretbox_easy', 'crypto_secretbox_open_easy']

export function sodiumApart(): Plugin {
  return {
    name: 'letro-sodium-apart',
    apply: 'build',
    transform(code, id) {
      if (!id.endsWith('/libsodium-sumo.mjs')) return null
      const embedded =
        /\?\?=\(\w=>\{for\([^"]*"="[^"]*"="(?:(?!\}\)\(")[\s\S])*?\}\)\("([A-Za-z0-9+/=]{100000,})"\)/
      const found = embedded.exec(code)
      if (!found) throw changed('does not embed its WASM as it did')
      const whole = Buffer.from(found[1]!, 'base64')
      const wasm = this.emitFile({
        type: 'asset',
        name: 'libsodium.wasm',
        source: without(whole, unused(code)),
      })
      const fetched = `??=new Uint8Array(await(await fetch(import.meta.ROLLUP_FILE_URL_${wasm})).arrayBuffer())`
      return { code: code.replace(found[0], () => fetched), map: null }
    },
  }
}

/**
 * The exports that nobody needs, by their names in the WASM. The wrapper asks at its start for sizes and other constants
 * of everything (short functions, all kept) and offers those functions that it finds.
 */
function unused(code: string): string[] {
  const called = new Set([...namesInApp(), ...calledByWrapper])
  const exported = [...code.matchAll(/\._(\w+)=\w\.([\w$]+)/g)].map(([, name, short]) => ({
    name: name!,
    short: short!,
  }))
  if (!exported.some(({ name }) => name === 'crypto_hash_sha256'))
    throw changed('does not name its functions as it did')
  const isConstant = (name: string) =>
    /(?:bytes(?:_max|_min)?|limit_\w+|_primitive|_alg_\w+|_strprefix)$/.test(name)
  return exported
    .filter(({ name }) => name.startsWith('crypto_') && !isConstant(name) && !called.has(name))
    .map(({ short }) => short)
}

function without(wasm: Uint8Array, exports: readonly string[]): Uint8Array {
  const module = binaryen.readBinary(wasm)
  for (const name of exports) module.removeExport(name)
  module.runPasses(['remove-unused-module-elements'])
  const lean = module.emitBinary()
  module.dispose()
  return lean
}

/** Every name of libsodium that our code speaks: too many at worst. */
function namesInApp(): Set<string> {
  const files = readdirSync(pwa, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const texts = files.map(name => readFileSync(join(pwa, name), 'utf8'))
  return new Set(texts.flatMap(text => text.match(/\bcrypto_\w+|(?<=\b_)crypto_\w+/g) ?? []))
}

function changed(how: string): Error {
  return new Error(`libsodium-sumo ${how}: see scripts/sodium-apart.ts`)
}

/**
 * The program's entry: keeps the compiled form of what it loads, then starts the server (start.ts).
 *
 * Stripping types and compiling some 300 files is half of a cold start. The cache lies beside the packages, where only
 * who may change the code may write; where it cannot be written, everything works without.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

if (process.env['NODE_COMPILE_CACHE'] === undefined) {
  enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/letro'))
}
await import('./start.ts')

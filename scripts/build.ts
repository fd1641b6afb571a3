/**
 * `npm run build`: the app into dist/pwa. `--if-changed`: only where a source is newer than what is there, as before `npm start`.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const built = join(root, 'dist/pwa/service-worker.js')

if (!process.argv.includes('--if-changed') || isOutdated()) {
  const started = Date.now()
  let buildApp: typeof import('./app-build.ts').buildApp
  try {
    ;({ buildApp } = await import('./app-build.ts'))
  } catch (error) {
    console.error(`The app cannot be built: the development packages are missing (npm ci). ${String(error)}`)
    process.exit(1)
  }
  await buildApp()
  console.log(`The app is built: dist/pwa, ${Math.round((Date.now() - started) / 1000)} s`)
}

function isOutdated(): boolean {
  if (!existsSync(built)) return true
  const sources = [
    'pwa',
    'server/protocol',
    'package-lock.json',
    'scripts/app-build.ts',
    'scripts/sodium-apart.ts',
  ]
  return newest(sources.map(source => join(root, source))) > statSync(built).mtimeMs
}

function newest(paths: readonly string[]): number {
  return Math.max(
    ...paths.map(path => {
      const stat = statSync(path)
      if (!stat.isDirectory()) return stat.mtimeMs
      return Math.max(stat.mtimeMs, newest(readdirSync(path).map(name => join(path, name))))
    }),
  )
}

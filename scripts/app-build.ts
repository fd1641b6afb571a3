/**
 * How the app is bundled: one configuration for the build, the development server and the tests.
 *
 * The output is `dist/pwa`: index.html, hashed assets with integrity, the service worker with its list of files, and each
 * text file compressed beside itself (`.br`, `.gz`), so that the server has nothing to compress.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { build, type InlineConfig } from 'vite'
import { releaseModule } from './release-module.ts'
import { sodiumApart } from './sodium-apart.ts'

export const root = join(import.meta.dirname, '..')
export const outDir = join(root, 'dist/pwa')

/** What every view stands on, in one piece: twenty small ones cost a phone far away more in ways than in bytes. */
const base = {
  name: 'base',
  test: /node_modules\/@?preact|pwa\/(?:i18n\/i18n|views\/parts\/|views\/[a-z-]+\.ts|worker\/(?:account-client|frames|ownership))/,
}

export function appConfig(): InlineConfig {
  return {
    root: join(root, 'pwa'),
    configFile: false,
    publicDir: join(root, 'pwa/public'),
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2024',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // How its time was spent is of no use to whoever starts the server.
      rolldownOptions: { output: { codeSplitting: { groups: [base] } }, checks: { bundlerTimings: false } },
    },
    worker: { format: 'es', plugins: () => [sodiumApart()] },
    plugins: [releaseModule()],
  }
}

/** Builds the whole app. */
export async function buildApp(): Promise<void> {
  await build(appConfig())
  sealPage()
  await drawIcons()
  await buildServiceWorker()
  compressAll(outDir)
}

/** The icon in the sizes that systems ask for. A maskable one reaches the edges; systems cut them as they like. */
async function drawIcons(): Promise<void> {
  const icons = join(outDir, 'icons')
  const drawing = readFileSync(join(icons, 'letro.svg'), 'utf8')
  const draw = (svg: string, size: number, name: string) =>
    sharp(Buffer.from(svg)).resize(size, size).png({ compressionLevel: 9 }).toFile(join(icons, name))
  for (const size of [180, 192, 512]) await draw(drawing, size, `letro-${size}.png`)
  await draw(drawing.replace(' rx="96"', ''), 512, 'letro-maskable-512.png')
}

async function buildServiceWorker(): Promise<void> {
  const name = 'service-worker.js'
  await build({
    ...appConfig(),
    publicDir: false,
    build: {
      outDir,
      emptyOutDir: false,
      target: 'es2024',
      rolldownOptions: {
        input: join(root, 'pwa/service-worker.ts'),
        output: { entryFileNames: name, codeSplitting: false },
      },
    },
  })
  const path = join(outDir, name)
  const worker = readFileSync(path, 'utf8')
  if (!worker.includes(manifestPlace))
    throw new Error('the service worker has no place for its list of files')
  writeFileSync(
    path,
    worker.replace(manifestPlace, () => JSON.stringify(precached())),
  )
}

const manifestPlace = 'self.__WB_MANIFEST'

/**
 * What the service worker keeps, as workbox-precaching takes it: assets carry their hash in their name, the rest has a
 * revision. Made here and not by workbox-build, whose own bundler brings 300 packages for this list.
 */
function precached(): { url: string; revision: string | null }[] {
  const list = (folder: string) => readdirSync(join(outDir, folder)).map(name => `${folder}/${name}`)
  const files = ['index.html', 'manifest.webmanifest', ...list('assets'), ...list('icons')]
  return (
    files
      .filter(file => !/\.(?:br|gz|map)$/.test(file))
      // The administration view is for a few, and is nothing without its server.
      .filter(file => !file.startsWith('assets/administration-'))
      .sort()
      .map(file => {
        const hash = () =>
          createHash('sha256')
            .update(readFileSync(join(outDir, file)))
            .digest('hex')
        return { url: `/${file}`, revision: file.startsWith('assets/') ? null : hash().slice(0, 32) }
      })
  )
}

/**
 * Every script and style has its hash in the page: in its tag, or, where another script imports it, in the import map.
 * Integrity-Policy lets no other script run. Only the finished files have a hash, so this comes after the bundling.
 */
function sealPage(): void {
  const path = join(outDir, 'index.html')
  const integrityOf = (file: string) =>
    `sha384-${createHash('sha384')
      .update(readFileSync(join(outDir, file)))
      .digest('base64')}`
  const scripts = readdirSync(join(outDir, 'assets')).filter(name => name.endsWith('.js'))
  const integrity = Object.fromEntries(
    scripts.map(name => [`/assets/${name}`, integrityOf(`assets/${name}`)]),
  )
  const importMap = `<script type="importmap">${JSON.stringify({ integrity })}</script>`
  const html = readFileSync(path, 'utf8').replace(
    /<(?:script|link)\b[^>]*\b(?:src|href)="\/([^"]+\.(?:js|css))"[^>]*>/g,
    (tag, file: string) => tag.replace('>', ` integrity="${integrityOf(file)}">`),
  )
  // It must stand before the first module script.
  writeFileSync(
    path,
    html.replace('<meta charset="utf-8">', start => `${start}\n    ${importMap}`),
  )
}

function compressAll(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) compressAll(path)
    else if (/\.(html|js|css|svg|json|webmanifest|wasm|txt)$/.test(name)) {
      const body = readFileSync(path)
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length }
      writeFileSync(`${path}.br`, brotliCompressSync(body, { params }))
      writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }))
    }
  }
}

/** Pictures of the room's views, for looking at: `node test/pwa/fixture-page/look.ts [name …]` writes them to dist/look. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../scripts/app-build.ts'
import { launchChromium } from '../../support/visitor.ts'
import { serveFixture } from './serve.ts'

const room = '#/room/!ward%3Aclinic.example'
const views: Record<string, { query?: string; hash?: string; width: number; height: number; act?: string }> =
  {
    light: { width: 1000, height: 1000 },
    dark: { query: 'theme=dark', width: 1000, height: 1000 },
    arabic: { query: 'lang=ar', width: 1000, height: 1000 },
    phone: { width: 390, height: 844 },
    'phone-dark-arabic': { query: 'lang=ar&theme=dark', width: 390, height: 844 },
    thread: { hash: `${room}/thread/%24m2`, width: 1200, height: 800 },
    long: { query: 'items=20000', width: 800, height: 700 },
    unread: { query: 'items=500&unread=20&read=%24l480', width: 800, height: 700 },
    frozen: { query: 'frozen=1', width: 900, height: 800 },
    'frozen-phone-arabic-dark': { query: 'frozen=1&lang=ar&theme=dark', width: 390, height: 844 },
    'frozen-phone-german': { query: 'frozen=1&lang=de', width: 390, height: 844 },
    blocked: { query: 'blocked=1&typing=1', width: 800, height: 900 },
  }

const wanted = process.argv.slice(2)
const folder = join(root, 'dist/look')
mkdirSync(folder, { recursive: true })
const page = await serveFixture()
const browser = await launchChromium()
for (const [name, view] of Object.entries(views)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const tab = await browser.newPage({ viewport: { width: view.width, height: view.height } })
  tab.on('console', message => console.log(name, message.text()))
  tab.on('pageerror', error => console.log(name, String(error)))
  await tab.goto(`${page.url}?${view.query ?? ''}${view.hash ?? room}`)
  await tab.waitForTimeout(700)
  await tab.screenshot({ path: join(folder, `room-${name}.png`) })
  await tab.close()
}
await browser.close()
await page.close()

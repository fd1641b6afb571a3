/** `node test/pwa/trust-page/pictures.ts [part of a name]`: every view as a picture in dist/pictures, to be looked at. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../scripts/app-build.ts'
import { launchChromium } from '../../support/visitor.ts'
import { serveFixturePage } from './serve.ts'
import { addressOf, views } from './views.ts'

const wanted = process.argv[2] ?? ''
const folder = join(root, 'dist/pictures')
const manners = [
  { name: 'wide-light', query: 'theme=light', width: 1280, height: 800 },
  { name: 'wide-dark', query: 'theme=dark', width: 1280, height: 800 },
  { name: 'phone', query: 'theme=light', width: 390, height: 780 },
  { name: 'arabic', query: 'theme=light&language=ar', width: 1280, height: 800 },
] as const

mkdirSync(folder, { recursive: true })
const page = await serveFixturePage()
const browser = await launchChromium()
for (const manner of manners) {
  const context = await browser.newContext({ viewport: { width: manner.width, height: manner.height } })
  const tab = await context.newPage()
  tab.on('pageerror', error => console.error(manner.name, error.message))
  tab.on('console', message => {
    if (message.type() === 'error') console.error(manner.name, message.text())
  })
  for (const view of views) {
    const name = `${view.name}-${manner.name}`
    if (!name.includes(wanted)) continue
    await tab.goto(`${page.url}${addressOf(view, manner.query)}`)
    await tab.locator('body[data-ready]').waitFor()
    await tab.waitForTimeout(250)
    await tab.screenshot({ path: join(folder, `${name}.png`) })
  }
  await context.close()
}
await browser.close()
await page.close()

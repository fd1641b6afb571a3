/**
 * `npm run bench:pwa`: what a person waits for in the app, in a real Chromium, against the goals of its speed.
 *
 * The first load and what is typed go through the real server and worker; scrolling goes over a history of 20,000 lines that
 * a page holds (test/pwa/fixture-page), with the views of the app. Figures are of this machine, and of what else it does.
 * `npm run bench:pwa -- cold-start` measures one part alone: app, scrolling or cold-start.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import lighthouse, { desktopConfig } from 'lighthouse'
import { type Browser, chromium, type Page } from 'playwright-core'
import { AppWorld, inside } from '../../test/e2e/app.ts'
import { serveFixture } from '../../test/pwa/fixture-page/serve.ts'
import { chromiumArgs, findChromium } from '../../test/support/chromium.ts'
import { outDir } from '../app-build.ts'
import { measureColdStarts } from './cold-start.ts'
import { median } from './statistics.ts'

interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal: number
  readonly isAtLeast?: boolean
  /** Lowest to highest, where it is the median of several. */
  readonly spread?: readonly number[]
}

const kB = 1000
const lighthousePort = 9333
const figures: Figure[] = []

const parts: Record<string, () => Promise<void>> = {
  app: measureApp,
  scrolling: measureScrolling,
  'cold-start': measureColdStart,
}
const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !parts[name])
if (unknown.length > 0)
  throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`)
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) await parts[name]!()
print()

async function measureApp(): Promise<void> {
  const world = await AppWorld.open()
  try {
    figures.push({
      name: 'code until the room list, brotli',
      value: (await firstLoadBytes(world)) / kB,
      unit: 'kB',
      goal: 250,
    })
    const amal = await world.enrolled('amal', 'Amal Nasser')
    const { page } = amal
    const rooms = [await newRoom(page, 'Ward'), await newRoom(page, 'Court')]
    const shown: number[] = []
    for (let i = 0; i < 20; i++) shown.push(await typedToShown(page, `line ${i} of the measure`))
    figures.push({ name: 'typed to shown, median', value: median(shown), unit: 'ms', goal: 50 })
    const switched: number[] = []
    for (let i = 0; i < 20; i++) switched.push(await switchTo(page, rooms[i % 2]!))
    figures.push({ name: 'room switch, median', value: median(switched), unit: 'ms', goal: 100 })
    const origin = new URL(page.url()).origin
    await amal.close()
    await measureLighthouse(origin)
  } finally {
    await world.close()
  }
}

/** Scripts, styles and WASM, as they are sent, that a browser with nothing asks for until a person who signs in sees the list. */
async function firstLoadBytes(world: AppWorld): Promise<number> {
  const visitor = await world.visitor()
  const asked = new Set<string>()
  visitor.page.on('request', request => asked.add(new URL(request.url()).pathname))
  await visitor.page.goto(await world.invite('first', 'First Load'))
  await visitor.page.locator('button[type=submit].main').click()
  await visitor.page.locator('.enter-key').waitFor()
  await visitor.page.locator('.enter-foot button').click()
  await visitor.page.locator('[data-stage=last-step] .enter-acts button').last().click()
  await inside(visitor.page)
  await visitor.close()
  // The page's own tools do not see what a shared worker fetches.
  for (const name of readdirSync(join(outDir, 'assets'))) {
    if (/^(shared-worker|libsodium).*\.(js|wasm)$/.test(name)) asked.add(`/assets/${name}`)
  }
  return [...asked]
    .filter(path => /^\/assets\/.*\.(js|css|wasm)$/.test(path))
    .reduce((sum, path) => sum + statSync(join(outDir, `${path}.br`)).size, 0)
}

async function newRoom(page: Page, name: string): Promise<string> {
  await page.evaluate(`location.hash = '#/new/room'`)
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByRole('button', { name: 'Create room' }).click()
  await page.getByRole('heading', { name }).first().waitFor()
  await page.locator('.composer textarea').waitFor()
  await typedToShown(page, `first words in ${name}`)
  return page.evaluate<string>('location.hash')
}

/** From Enter to the frame that shows the line. */
async function typedToShown(page: Page, text: string): Promise<number> {
  const field = page.locator('.composer textarea')
  await field.fill(text)
  const shown = page.evaluate<number>(`new Promise(resolve => {
    let pressed = 0
    addEventListener('keydown', event => { if (event.key === 'Enter') pressed = performance.now() }, { once: true, capture: true })
    const seen = () => [...document.querySelectorAll('li.message')].some(line => line.textContent.includes(${JSON.stringify(text)}))
    const observer = new MutationObserver(() => {
      if (!pressed || !seen()) return
      observer.disconnect()
      requestAnimationFrame(() => resolve(performance.now() - pressed))
    })
    observer.observe(document.body, { childList: true, subtree: true, characterData: true })
  })`)
  await field.press('Enter')
  return shown
}

/** From the address to the frame that shows the room's lines. */
async function switchTo(page: Page, hash: string): Promise<number> {
  return page.evaluate<number>(`new Promise(resolve => {
    const started = performance.now()
    const before = document.querySelector('.ledger')
    location.hash = ${JSON.stringify(hash)}
    const look = () => {
      const now = document.querySelector('.ledger')
      if (now && now !== before && now.querySelector('li.message')) resolve(performance.now() - started)
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })`)
}

async function measureLighthouse(origin: string): Promise<void> {
  const browser = await launch([`--remote-debugging-port=${lighthousePort}`])
  try {
    for (const [name, config] of [
      ['desktop', desktopConfig],
      ['mobile', undefined],
    ] as const) {
      const onlyCategories = ['performance', 'accessibility', 'best-practices']
      const result = await lighthouse(
        origin,
        { port: lighthousePort, logLevel: 'silent', onlyCategories },
        config,
      )
      for (const [id, goal] of [
        ['performance', 95],
        ['accessibility', 100],
        ['best-practices', 100],
      ] as const) {
        const value = (result?.lhr.categories[id]?.score ?? 0) * 100
        figures.push({ name: `Lighthouse ${name}, ${id}`, value, unit: '', goal, isAtLeast: true })
      }
    }
  } finally {
    await browser.close()
  }
}

async function measureScrolling(): Promise<void> {
  const fixture = await serveFixture()
  const browser = await launch()
  try {
    const page = await browser.newPage({ viewport: { width: 1000, height: 800 } })
    await page.goto(`${fixture.url}?items=20000#/room/!ward%3Aclinic.example`)
    await page.locator('li.message').first().waitFor()
    await page.evaluate(`globalThis.frames_ = []
      let last = performance.now()
      const next = now => { frames_.push(now - last); last = now; requestAnimationFrame(next) }
      requestAnimationFrame(next)`)
    await page.locator('.timeline').hover()
    for (let i = 0; i < 200; i++) await page.mouse.wheel(0, -600)
    const frames = await page.evaluate<number[]>('frames_.slice(2)')
    figures.push({
      name: 'scrolling 20,000 lines, longest frame',
      value: Math.max(...frames),
      unit: 'ms',
      goal: 50,
    })
    figures.push({
      name: 'scrolling 20,000 lines, median frame',
      value: median(frames),
      unit: 'ms',
      goal: 20,
    })
  } finally {
    await browser.close()
    await fixture.close()
  }
}

async function measureColdStart(): Promise<void> {
  const starts = await measureColdStarts(5)
  const messages = starts[0]!.messages.toLocaleString('en-US')
  for (const [name, goal, values] of [
    ['lock screen', 1500, starts.map(({ lockScreen }) => lockScreen)],
    ['room names', 1500, starts.map(({ roomNames }) => roomNames)],
  ] as const)
    figures.push({
      name: `cold, offline, ${messages}: ${name}`,
      value: median(values),
      unit: 'ms',
      goal,
      spread: [Math.min(...values), Math.max(...values)],
    })
}

async function launch(more: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error('Chromium is needed: install it, or set CHROMIUM_PATH.')
  return chromium.launch({ executablePath, headless: true, args: [...chromiumArgs, ...more] })
}

function print(): void {
  for (const { name, value, unit, goal, isAtLeast, spread } of figures) {
    const isMet = isAtLeast ? value >= goal : value <= goal
    const figure = `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`.trim()
    const wanted = `${isAtLeast ? 'at least' : 'at most'} ${goal} ${unit}`.trim()
    const between = spread ? ` (${spread.map(each => each.toFixed(0)).join('–')})` : ''
    console.log(
      `${isMet ? 'met   ' : 'MISSED'}  ${name.padEnd(38)} ${figure.padStart(9)}   goal: ${wanted}${between}`,
    )
  }
}

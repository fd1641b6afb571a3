/** The room's views in a real Chromium, over a world without a worker, under the app's own policy. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { root } from '../../../scripts/app-build.ts'
import { until } from '../../support/until.ts'
import { launchChromium } from '../../support/visitor.ts'
import { type FixturePage, serveFixture } from '../fixture-page/serve.ts'
import { roomId } from '../fixture-page/world.ts'

const test = anyTest as TestFn<{ page: Page; complaints: string[] }>
const axe = readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8')
const room = `#/room/${encodeURIComponent(roomId)}`
let fixture: FixturePage
let browser: Browser

test.before(async () => {
  fixture = await serveFixture()
  browser = await launchChromium()
})
test.after.always(async () => {
  await browser?.close()
  await fixture?.close()
})
test.beforeEach(async t => {
  // axe is put into the page by the test; the page's own policy is on all the same.
  const page = await browser.newPage({ viewport: { width: 900, height: 800 } })
  const complaints: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  t.context = { page, complaints }
})
test.afterEach.always(async t => {
  await t.context.page.close()
  t.deepEqual(t.context.complaints, [])
})

type Context = ExecutionContext<{ page: Page; complaints: string[] }>

async function open(t: Context, query = '', hash = room): Promise<Page> {
  const { page } = t.context
  await page.goto(`${fixture.url}?${query}${hash}`)
  await page.locator('li.message').first().waitFor()
  return page
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown; html: string }[] }[] }> }
      }
    ).axe.run()
    // The page's landmarks and title are the shell's.
    const ofTheShell = ['region', 'page-has-heading-one', 'document-title', 'landmark-one-main']
    return violations
      .filter(({ id }) => !ofTheShell.includes(id))
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
  })
}

for (const [name, query] of [
  ['light', ''],
  ['dark', 'theme=dark'],
  ['Arabic', 'lang=ar'],
  ['German', 'lang=de&blocked=1&typing=1'],
  ['French, dark', 'lang=fr&theme=dark&blocked=1'],
  ['silent', 'silent=1'],
  ['frozen', 'frozen=1'],
  ['frozen, in Arabic and dark', 'frozen=1&lang=ar&theme=dark'],
] as const) {
  test.serial(`axe finds nothing in a room: ${name}`, async t => {
    const page = await open(t, query)
    await page.locator('li.message').last().focus()
    t.deepEqual(await violations(page), [])
  })
}

test.serial(
  'a picture that says it has billions of pixels is offered as a file, and never drawn',
  async t => {
    const page = await open(t, 'bomb=1')
    await page.getByText('more pixels than a device should draw').first().waitFor()
    t.is(await page.locator('li.message img').count(), 0)
    t.true((await page.locator('li.message .file').count()) > 0)
  },
)

test.serial(
  'a room that stands still says for whom, who let them in and what to do, in the composer’s place',
  async t => {
    const page = await open(t, 'frozen=1')
    const words = (await page.locator('.frozen').textContent()) ?? ''
    for (const said of ['stranger.example', 'Samir', 'administrator', 'waits on this device'])
      t.true(words.includes(said), said)
    t.is(await page.locator('.composer textarea').count(), 0)
    for (const lang of ['ar', 'de', 'fr']) {
      await open(t, `frozen=1&lang=${lang}`)
      const translated = (await page.locator('.frozen').textContent()) ?? ''
      t.true(translated.includes('stranger.example'), lang)
      t.false(translated.includes('administrator'), lang)
    }
  },
)

test.serial('axe finds nothing in a thread, nor on a phone', async t => {
  const page = await open(t, '', `${room}/thread/%24m2`)
  await page.locator('.thread li.message').first().waitFor()
  t.deepEqual(await violations(page), [])
  await page.setViewportSize({ width: 360, height: 740 })
  t.deepEqual(await violations(page), [])
  t.is(await page.evaluate(() => document.documentElement.scrollWidth), 360)
})

test.serial('axe finds nothing in what opens over a room, and Escape closes each', async t => {
  const page = await open(t)
  const menu = async (act: string) => {
    await page.locator('li.message', { hasText: 'It is there now' }).hover()
    await page.locator('.message-tools').getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: act, exact: true }).click()
  }
  const openers: [string, () => Promise<unknown>][] = [
    ['pins', () => page.getByRole('button', { name: 'Pinned messages' }).click()],
    ['picture', () => page.getByRole('button', { name: /Show .*scan/ }).click()],
    ['details', () => menu('Details')],
    ['history', () => menu('What it said before')],
    ['delete', () => menu('Delete')],
    ['shield', () => page.getByRole('button', { name: /has not confirmed/ }).click()],
    ['emoji', () => page.locator('.composer').getByRole('button', { name: 'Insert an emoji' }).click()],
    [
      'date',
      async () => {
        await page.getByRole('button', { name: 'More about this room' }).click()
        await page.getByRole('menuitem', { name: 'Go to a date' }).click()
      },
    ],
    [
      'files',
      () =>
        page.locator('input[type=file]').setInputFiles({
          name: 'a\u202egpj.exe',
          mimeType: 'text/html',
          buffer: Buffer.from('<script>1</script>'),
        }),
    ],
  ]
  for (const [name, act] of openers) {
    await act()
    const dialog = page.locator('dialog[open]')
    await dialog.waitFor()
    await page.waitForTimeout(150)
    t.deepEqual(await violations(page), [], name)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  }
})

test.serial('HTML of others: only what is for reading is left', async t => {
  const page = await open(t)
  const cases: [string, string][] = [
    ['<script>alert(1)</script>x', 'x'],
    ['<img src=x onerror=alert(1) alt="a scan">x', 'a scanx'],
    ['<svg><animate onbegin=alert(1)></svg>x', 'x'],
    ['<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>', ''],
    ['<iframe srcdoc="<script>1</script>"></iframe>x', 'x'],
    ['<p style="position:fixed" onclick="x()" id="app" name="x">x</p>', '<p>x</p>'],
    ['<b class="message-tools">x</b>', '<b>x</b>'],
    ['<font color="red">x</font>', 'x'],
    ['<form action="https://evil.example"><input name="k"><button>b</button></form>', 'b'],
    ['<a href="javascript:alert(1)">x</a>', '<a>x</a>'],
    ['<a href=" jAvAsCrIpT:alert(1)">x</a>', '<a>x</a>'],
    ['<a href="data:text/html,x">x</a>', '<a>x</a>'],
    ['<code class="language-ts">x</code>', '<code class="language-ts">x</code>'],
    ['<code class="pill">x</code>', '<code>x</code>'],
    ['<style>*{display:none}</style>x', 'x'],
    ['<video src="https://evil.example/v"></video><audio src="x"></audio>x', 'x'],
    ['<div data-mx-color="#ff0000" data-x="y">x</div>', '<div>x</div>'],
    ['<base href="https://evil.example/"><meta http-equiv="refresh" content="0">x', 'x'],
  ]
  for (const [html, expected] of cases) t.is(await safe(page, html), expected, html)
  // The policy holds even for the copy that is parsed to be sanitised: it says so, and nothing runs.
  t.true(t.context.complaints.every(each => /violates the following/.test(each)))
  t.context.complaints.length = 0
})

test.serial('links: people are pills with the name of the room, others say where they lead', async t => {
  const page = await open(t)
  t.regex(
    await safe(page, '<a href="https://matrix.to/#/@jonas:court.example">The administrator</a>'),
    /^<a href="#\/person\/%40jonas%3Acourt\.example" class="pill" title="@jonas:court\.example" dir="auto">Jonas<\/a>$/,
  )
  const misleading = await safe(page, '<a href="https://evil.example/">https://clinic.example</a>')
  t.true(misleading.includes('(evil.example)'))
  t.true(misleading.includes('rel="noreferrer noopener"'))
  t.true(misleading.includes('target="_blank"'))
  const spoiler = await safe(page, '<span data-mx-spoiler="why">secret</span>')
  t.regex(spoiler, /role="button"/)
  t.regex(spoiler, /tabindex="0"/)
})

test.serial('a message is written, sent and shown; the field is empty again', async t => {
  const page = await open(t)
  const field = page.locator('.composer-place:not([inert]) textarea')
  await field.fill('It is **signed** now')
  await field.press('Enter')
  await page.locator('li.message strong', { hasText: 'signed' }).waitFor()
  t.is(await field.inputValue(), '')
  const sent = await asked(page, 'send')
  t.like(sent.at(-1), {
    type: 'm.room.message',
    content: { body: 'It is **signed** now', formatted_body: 'It is <strong>signed</strong> now' },
  })
  t.true(await isAtEnd(page))
})

test.serial('what could not be kept stays in the field, and why is said', async t => {
  const page = await open(t)
  await page.evaluate(() => {
    ;(globalThis as unknown as { world: { fails: string } }).world.fails = 'send'
  })
  const field = page.locator('.composer-place:not([inert]) textarea')
  await field.fill('not to be lost')
  await field.press('Enter')
  await page.getByText('This device has no room left').waitFor()
  t.is(await field.inputValue(), 'not to be lost')
})

test.serial('somebody is mentioned with the keyboard alone', async t => {
  const page = await open(t)
  const field = page.locator('.composer-place:not([inert]) textarea')
  await field.pressSequentially('ask @jo')
  await page.getByRole('option', { name: /Jonas Weber/ }).waitFor()
  t.deepEqual(await violations(page), [])
  await field.press('Enter')
  t.is(await field.inputValue(), 'ask @Jonas Weber ')
  await field.pressSequentially('now')
  await field.press('Enter')
  await page.locator('li.message .pill', { hasText: 'Jonas Weber' }).last().waitFor()
  const sent = await asked(page, 'send')
  t.like(sent.at(-1), { content: { 'm.mentions': { user_ids: ['@jonas:court.example'] } } })
})

test.serial('↑ edits our last message, Escape leaves it', async t => {
  const page = await open(t)
  const field = page.locator('.composer-place:not([inert]) textarea')
  await field.focus()
  await field.press('ArrowUp')
  await page.getByText('You are editing a message').waitFor()
  t.true((await field.inputValue()).startsWith('It is there now'))
  await field.press('Escape')
  await page.getByText('You are editing a message').waitFor({ state: 'detached' })
  t.is(await field.inputValue(), '')
})

test.serial('what was being written stands again after an edit', async t => {
  const page = await open(t)
  const field = page.locator('.composer-place:not([inert]) textarea')
  await field.fill('half a thought')
  const ours = page.locator('li.message.ours', { hasText: 'It is there now' })
  await ours.click()
  await ours.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByText('You are editing a message').waitFor()
  await field.press('Escape')
  await page.getByText('You are editing a message').waitFor({ state: 'detached' })
  t.is(await field.inputValue(), 'half a thought')
})

test.serial(
  'an address of a person or a message in plain words opens here, others in a window of their own',
  async t => {
    const page = await open(t)
    const field = page.locator('.composer-place:not([inert]) textarea')
    await field.fill(`see https://matrix.to/#/@jonas:court.example and https://a.example/x`)
    await field.press('Enter')
    const links = page.locator('li.message').last().locator('.words a')
    t.is(await links.nth(0).getAttribute('href'), '#/person/%40jonas%3Acourt.example')
    t.is(await links.nth(0).getAttribute('target'), null)
    t.is(await links.nth(1).getAttribute('target'), '_blank')
  },
)

test.serial('the acts of the newest line open upwards, where they can be seen', async t => {
  const page = await open(t)
  await page.setViewportSize({ width: 390, height: 700 })
  await page.locator('.composer-place:not([inert]) textarea').fill('the newest')
  await page.locator('.composer textarea').press('Enter')
  const last = page.locator('li.message', { hasText: 'the newest' })
  await last.click()
  await last.getByRole('button', { name: 'More' }).click()
  const menu = await page.getByRole('menu').boundingBox()
  const frame = await page.locator('.timeline').boundingBox()
  t.true(
    menu!.y >= frame!.y && menu!.y + menu!.height <= frame!.y + frame!.height,
    JSON.stringify({ menu, frame }),
  )
  await page.locator('.composer textarea').click()
  await page.locator('.message-tools').waitFor({ state: 'detached' })
})

test.serial('files that were chosen leave by Enter', async t => {
  const page = await open(t)
  await page
    .locator('.composer input[type=file]')
    .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('a') })
  const send = page.locator('dialog[open] button[type=submit]')
  await send.waitFor()
  t.true(await send.evaluate(button => button === document.activeElement))
})

test.serial('lines are reached by arrow keys, and what can be done with them by Tab', async t => {
  const page = await open(t)
  await page.locator('.timeline').focus()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('ArrowUp')
  await page.locator('li.message:focus').waitFor()
  await page.locator('li.message', { hasText: 'The signed copy' }).focus()
  await page.getByRole('button', { name: 'Answer', exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.locator('.composer-about', { hasText: 'Samir Haddad' }).waitFor()
  await page.locator('textarea:focus').waitFor()
  t.pass()
})

test.serial('at the end one stays at the end; above, what is read stays where it is', async t => {
  const page = await open(t, 'items=400')
  t.true(await isAtEnd(page))
  await add(page, 'one more')
  await page.locator('li.message', { hasText: 'one more' }).waitFor()
  t.true(await isAtEnd(page))
  await page.locator('.timeline').hover()
  await page.mouse.wheel(0, -1500)
  await page.waitForTimeout(300)
  const before = await firstVisible(page)
  await add(page, 'two more')
  await page.waitForTimeout(300)
  t.deepEqual(await firstVisible(page), before)
})

test.serial('a long history is walked to its first line; the document stays small', async t => {
  const page = await open(t, 'items=1000')
  const reached = await page.evaluate(async () => {
    const scroller = document.querySelector('.timeline')!
    let most = 0
    const seen = new Set<number>()
    for (let i = 0; i < 600; i++) {
      scroller.scrollTop = Math.max(0, scroller.scrollTop - 2500)
      await new Promise(requestAnimationFrame)
      const lines = document.querySelectorAll('li.message')
      most = Math.max(most, lines.length)
      for (const line of lines)
        seen.add(Number(/^(\d+):/.exec(line.querySelector('.words')?.textContent ?? '')?.[1]))
      if (scroller.scrollTop === 0 && seen.has(1)) break
    }
    return { most, seen: seen.size, first: Math.min(...seen) }
  })
  t.true(reached.most <= 120)
  t.is(reached.first, 1)
  // Every 97th is somebody who joined.
  t.is(reached.seen, 1000 - Math.ceil(1000 / 97))
})

test.serial('a room with much that is new opens where reading stopped', async t => {
  const page = await open(t, 'items=500&unread=40&read=%24l450')
  const line = page.locator('.unread-line')
  await line.waitFor()
  const box = (await line.boundingBox())!
  t.true(box.y > 50 && box.y < 500)
  t.false(await isAtEnd(page))
  await page.getByRole('button', { name: /40.* new messages/ }).click()
  await until(() => isAtEnd(page))
  t.pass()
})

test.serial('the address of a message shows that message, focused', async t => {
  const page = await open(t, 'items=2000', `${room}/%24l300`)
  await page.waitForFunction(() => document.activeElement?.textContent?.includes('300:'))
  t.pass()
})

async function safe(page: Page, html: string): Promise<string> {
  return page.evaluate(html => {
    const { safeHtml } = globalThis as unknown as {
      safeHtml: (html: string, around: object) => { toString(): string }
    }
    const nameOf = (userId: string) => (userId.startsWith('@jonas') ? 'Jonas' : null)
    return String(safeHtml(html, { nameOf, ourUserId: '@amal:clinic.example', spoilerLabel: 'hidden' }))
  }, html)
}

async function asked(page: Page, name: string): Promise<unknown[]> {
  return page.evaluate(
    name =>
      (
        globalThis as unknown as { world: { asked: { name: string; argument: unknown }[] } }
      ).world.asked.flatMap(each => (each.name === name ? [each.argument] : [])),
    name,
  )
}

async function add(page: Page, text: string): Promise<void> {
  await page.evaluate(text => {
    ;(globalThis as unknown as { world: { add(text: string): void } }).world.add(text)
  }, text)
}

async function isAtEnd(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const scroller = document.querySelector('.timeline')!
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 4
  })
}

async function firstVisible(page: Page): Promise<[string | null, number]> {
  return page.evaluate(() => {
    const top = document.querySelector('.timeline')!.getBoundingClientRect().top
    const line = [...document.querySelectorAll<HTMLElement>('li.message')].find(
      each => each.getBoundingClientRect().top >= top,
    )!
    return [line.dataset['key'] ?? null, Math.round(line.getBoundingClientRect().top)]
  })
}

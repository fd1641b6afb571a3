/** A conversation between two people in real browsers, through the real server, end-to-end encrypted. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Locator, Page } from 'playwright-core'
import sharp from 'sharp'
import { until } from '../support/until.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, pictures } from './app.ts'

const test = anyTest as TestFn
let world: AppWorld
let amal: Visitor
let jonas: Visitor

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
  amal = await world.enrolled('amal', 'Amal Nasser')
  jonas = await world.enrolled('jonas', 'Jonas Weber')
})
test.after.always(() => world?.close())
test.afterEach.always(async t => {
  if (t.passed) return
  await amal.page.screenshot({ path: join(pictures, 'room-failed-amal.png') })
  await jonas.page.screenshot({ path: join(pictures, 'room-failed-jonas.png') })
})

test.serial('a first message: written, sealed, read on the other side, and that it was read', async t => {
  await amal.page.goto(`${new URL(amal.page.url()).origin}/#/new/message`)
  await amal.page.locator('.picker input').fill('@jonas:localhost')
  await amal.page.locator('.picker-list button').first().click()
  await field(amal.page).waitFor()
  await write(amal.page, 'The **letter** for bed 12 is ready.')
  await line(amal.page, 'for bed 12').waitFor()
  t.is(await field(amal.page).inputValue(), '')

  await jonas.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await jonas.page.getByRole('button', { name: 'Accept' }).click()
  await line(jonas.page, 'for bed 12').waitFor()
  t.is(await line(jonas.page, 'for bed 12').locator('strong').textContent(), 'letter')
  await amal.page.locator('li.message .margin.read').waitFor()
})

test.serial('an answer, a reaction, an edit with what it said before, a deletion', async t => {
  const first = line(jonas.page, 'for bed 12')
  await act(first, 'Answer')
  await write(jonas.page, 'Received, thank you')
  const answer = line(amal.page, 'Received, thank you')
  await answer.waitFor()
  t.regex((await answer.locator('.quotation').textContent()) ?? '', /bed 12/)

  await act(first, 'React')
  await jonas.page.locator('dialog .emoji-grid button', { hasText: '👍' }).click()
  const reaction = line(amal.page, 'for bed 12').locator('.reaction')
  await reaction.waitFor()
  await reaction.click()
  await line(jonas.page, 'for bed 12').locator('.reaction', { hasText: '2' }).waitFor()

  await field(amal.page).press('ArrowUp')
  await field(amal.page).fill('The letter for bed 12 is signed.')
  await field(amal.page).press('Enter')
  const edited = line(jonas.page, 'is signed')
  await edited.locator('.edited').waitFor()
  await menu(edited, 'What it said before')
  await jonas.page.locator('dialog .history li', { hasText: 'is ready' }).waitFor()
  await jonas.page.keyboard.press('Escape')

  await write(amal.page, 'Sent to the wrong room')
  await line(jonas.page, 'wrong room').waitFor()
  await menu(line(amal.page, 'wrong room'), 'Delete')
  await amal.page.locator('dialog button[type=submit]').click()
  await jonas.page.getByText('This message was deleted.').waitFor()
  t.is(await line(jonas.page, 'wrong room').count(), 0)
})

test.serial(
  'whoever opens a room at a keyboard writes at once; what Enter does is set in the settings',
  async t => {
    const { page } = amal
    const isFocused = () => field(page).evaluate(element => element.matches(':focus'))
    const room = new URL(page.url()).hash
    const to = (hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await to('#/settings/appearance')
    const enterSends = page.getByRole('switch', { name: 'Enter sends' })
    await enterSends.setChecked(false)
    await to(room)
    await field(page).waitFor()
    await until(isFocused)
    await page.keyboard.type('One line')
    await page.keyboard.press('Enter')
    await page.keyboard.type('and another')
    t.is(await field(page).inputValue(), 'One line\nand another')
    await page.keyboard.press('Control+Enter')
    await line(jonas.page, 'and another').waitFor()
    await to('#/settings/appearance')
    await enterSends.setChecked(true)

    // On a phone the keyboard would cover what is to be read.
    await page.setViewportSize({ width: 390, height: 844 })
    await to(room)
    await field(page).waitFor()
    await page.locator('.composer-place:not([inert])').waitFor()
    t.false(await isFocused())
    await page.setViewportSize({ width: 1280, height: 800 })
  },
)

test.serial('whoever writes faster than messages are sealed loses none, and their order is kept', async t => {
  const words = ['first of five', 'second of five', 'third of five', 'fourth of five', 'fifth of five']
  await amal.page.evaluate(`(async field => {
    for (const text of ${JSON.stringify(words)}) {
      field.value = text
      field.dispatchEvent(new InputEvent('input', { bubbles: true }))
      await new Promise(drawn => setTimeout(drawn))
      field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
      await new Promise(drawn => setTimeout(drawn))
    }
  })(document.querySelector('.room-column:not(.thread) .composer textarea'))`)
  await line(jonas.page, 'fifth of five').waitFor()
  const said = await jonas.page.locator('li.message .words', { hasText: ' of five' }).allTextContents()
  t.deepEqual(
    said.map(each => each.trim()),
    words,
  )
})

test.serial('a line that has the focus keeps its tools while others move under a resting mouse', async t => {
  const { page } = amal
  const box = (await page.locator('.timeline').boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  const ours = line(page, 'fifth of five')
  await ours.focus()
  await ours.locator('.message-tools').waitFor()
  for (const text of ['it moves', 'it moves on', 'it has moved']) {
    await write(jonas.page, text)
    await line(page, text).waitFor()
  }
  await page.waitForTimeout(500)
  t.is(await page.locator('.message-tools').count(), 1)
  await ours.locator('.message-tools').waitFor()
  await page.mouse.move(box.x + box.width / 2, box.y - 20)
  await page.waitForTimeout(200)
  await ours.locator('.message-tools').waitFor()
})

test.serial('somebody is mentioned, and a thread is opened and answered', async t => {
  await field(jonas.page).pressSequentially('Please look, @ama')
  await jonas.page.getByRole('option', { name: /Amal/ }).waitFor()
  await field(jonas.page).press('Enter')
  await field(jonas.page).press('Enter')
  await amal.page.locator('li.mentions-us .pill.ours').waitFor()

  await act(line(amal.page, 'Please look'), 'Answer in a thread')
  const thread = amal.page.locator('.room-column.thread')
  await thread.locator('.composer-place:not([inert]) textarea').fill('Looking now')
  await thread.locator('.composer-place:not([inert]) textarea').press('Enter')
  await thread.locator('li.message', { hasText: 'Looking now' }).waitFor()
  await jonas.page.locator('.thread-summary', { hasText: 'Looking now' }).click()
  await jonas.page.locator('.room-column.thread li.message', { hasText: 'Looking now' }).waitFor()
  t.is(await jonas.page.locator('.room-column:not(.thread) li.message', { hasText: /^Looking/ }).count(), 0)
  for (const { page } of [amal, jonas]) await page.getByRole('button', { name: 'Close the thread' }).click()
})

test.serial(
  'a picture is shown, a page and a drawing that could run are only offered to be saved',
  async t => {
    const png = await sharp({ create: { width: 900, height: 600, channels: 3, background: '#94481a' } })
      .png()
      .toBuffer()
    await amal.page.locator('.composer input[type=file]').setInputFiles([
      { name: 'scan.png', mimeType: 'image/png', buffer: png },
      {
        name: 'drawing.svg',
        mimeType: 'image/svg+xml',
        buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      },
      {
        name: 'page.html',
        mimeType: 'text/html',
        buffer: Buffer.from('<script>document.title="ran"</script>'),
      },
      { name: 'letter.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') },
    ])
    await amal.page.locator('dialog .file-sheet input').first().fill('The scan of the 12th')
    await amal.page.screenshot({ path: join(pictures, 'room-files.png') })
    await amal.page.locator('dialog button[type=submit]').click()
    await line(jonas.page, 'letter.pdf').waitFor()
    await line(jonas.page, 'The scan of the 12th').locator('img').waitFor()
    t.is(await line(jonas.page, 'drawing.svg').locator('img, svg.picture, iframe, object').count(), 0)
    t.is(await line(jonas.page, 'page.html').locator('img, iframe, object').count(), 0)
    t.regex((await line(jonas.page, 'page.html').textContent()) ?? '', /could run as a program/)

    const saved = jonas.page.waitForEvent('download')
    await line(jonas.page, 'page.html').getByRole('button', { name: /^Save/ }).click()
    t.is((await saved).suggestedFilename(), 'page.html')

    await line(jonas.page, 'The scan of the 12th').locator('button.picture').click()
    await jonas.page.locator('dialog.viewer img').waitFor()
    await jonas.page.screenshot({ path: join(pictures, 'room-viewer.png') })
    await jonas.page.keyboard.press('Escape')
    await jonas.page.locator('dialog.viewer').waitFor({ state: 'detached' })
  },
)

test.serial('a picture of absurd dimensions is a file on both sides, and nothing decodes it', async t => {
  const bomb = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#94481a' } })
    .png()
    .toBuffer()
  bomb.writeUInt32BE(60_000, 16)
  bomb.writeUInt32BE(60_000, 20)
  await amal.page.evaluate(
    `globalThis.decoded = 0; globalThis.createImageBitmap = (make => (...all) => { decoded++; return make(...all) })(createImageBitmap)`,
  )
  await amal.page
    .locator('.composer input[type=file]')
    .setInputFiles([{ name: 'bomb.png', mimeType: 'image/png', buffer: bomb }])
  await amal.page.locator('dialog .file-sheet').waitFor()
  await amal.page.locator('dialog button[type=submit]').click()
  for (const { page } of [amal, jonas]) {
    const there = page.locator('.room-column li.message', { hasText: 'bomb.png' })
    await there.locator('.file').waitFor()
    t.is(await there.locator('img, .picture').count(), 0)
  }
  t.is(await amal.page.evaluate('decoded'), 0)
})

test.serial('a voice message is recorded, heard, and its picture is a hundred levels', async t => {
  // The machine of the test has no microphone: a tone in its place.
  await amal.page.evaluate(`navigator.mediaDevices.getUserMedia = async () => {
    const audio = new AudioContext()
    const tone = audio.createOscillator()
    const out = audio.createMediaStreamDestination()
    tone.connect(out)
    tone.start()
    return out.stream
  }`)
  await amal.page.getByRole('button', { name: 'Record a voice message' }).click()
  await amal.page.locator('dialog .recording').waitFor()
  await until(async () => !/0:00/.test((await amal.page.locator('dialog .voice-time').textContent()) ?? ''))
  await amal.page.getByRole('button', { name: 'Stop' }).click()
  await amal.page.locator('dialog').getByRole('button', { name: 'Send' }).click()
  const voice = jonas.page.locator('li.message .voice')
  await voice.waitFor()
  t.true(((await voice.locator('.waveform path').last().getAttribute('d')) ?? '').split('M').length > 5)
  await voice.getByRole('button', { name: 'Play' }).click()
  await voice.locator('audio').waitFor({ state: 'attached' })
})

test.serial('what looks like a page, a direction or a tower of marks is only text', async t => {
  const hostile = [
    '<img src=x onerror="document.title=1">',
    `\u202egnp.exe`,
    `a${'\u0301'.repeat(5000)}b`,
    '[https://clinic.example](https://evil.example/)',
  ]
  for (const text of hostile) await write(amal.page, text)
  await write(amal.page, 'after all that')
  await line(jonas.page, 'after all that').waitFor()
  await line(jonas.page, '(evil.example)').waitFor()
  t.is(await jonas.page.locator('.words img').count(), 0)
  const tooWide = await jonas.page.locator('.timeline').evaluate(each => each.scrollWidth - each.clientWidth)
  t.true(tooWide <= 0)
})

test.serial('a draft is there again after a reload, and the address of a message shows it', async t => {
  await field(amal.page).fill('half a thought')
  await amal.page.waitForTimeout(800)
  await amal.page.reload()
  await unlocked(amal.page)
  await until(async () => (await field(amal.page).inputValue()) === 'half a thought')
  await field(amal.page).fill('')

  // Pages may write to the clipboard, and not read it: what is written is caught.
  await amal.page.evaluate(
    `navigator.clipboard.writeText = (write => text => { globalThis.written = text; return write.call(navigator.clipboard, text) })(navigator.clipboard.writeText)`,
  )
  await menu(line(amal.page, 'after all that'), 'Copy a link to it')
  await amal.page.getByText('The link was copied.').waitFor()
  const address = await amal.page.evaluate<string>('globalThis.written')
  t.true(address.startsWith(new URL(amal.page.url()).origin))
  t.true(new URL(address).hash.includes('%24'))
  await amal.page.evaluate(`location.hash = ${JSON.stringify(new URL(address).hash)}`)
  await amal.page.waitForFunction('document.activeElement?.textContent?.includes("after all that")')
})

test.serial('looked at: light, dark, phone', async t => {
  const { page } = jonas
  const look = async (name: string) => {
    await page.waitForTimeout(400)
    await page.screenshot({ path: join(pictures, `room-${name}.png`) })
  }
  await look('wide')
  await page.emulateMedia({ colorScheme: 'dark' })
  await look('dark')
  await page.locator('aside, .side').getByRole('button', { name: 'Close' }).first().click()
  await page.setViewportSize({ width: 390, height: 844 })
  await look('phone-dark')
  await page.emulateMedia({ colorScheme: 'light' })
  await look('phone')
  await page.setViewportSize({ width: 1280, height: 800 })
  t.deepEqual(
    [...amal.complaints, ...jonas.complaints].filter(each => !/violates the following/.test(each)),
    [],
  )
})

function field(page: Page): Locator {
  return page.locator('.room-column:not(.thread) .composer textarea')
}

async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text)
  await field(page).press('Enter')
}

function line(page: Page, text: string): Locator {
  const words = page.locator('.words, .file, .quiet', { hasText: text })
  return page.locator('.room-column:not(.thread) li.message').filter({ has: words }).last()
}

/** What the tools beside a line offer. */
async function act(of: Locator, name: string): Promise<void> {
  const tool = of.locator('.message-tools').getByRole('button', { name, exact: true })
  // A line that is drawn anew meanwhile (its message was sent) loses the focus, and its tools with it.
  await until(async () => {
    await of.focus()
    return tool.click({ timeout: 20_000 }).then(
      () => true,
      () => false,
    )
  })
}

async function menu(of: Locator, name: string): Promise<void> {
  await act(of, 'More')
  await of.page().getByRole('menuitem', { name, exact: true }).click()
}

/** After a reload the vault may be locked: its passkey opens it. */
async function unlocked(page: Page): Promise<void> {
  const unlock = page.locator('.enter button.main').first()
  await unlock.or(field(page)).first().waitFor()
  if (await unlock.isVisible()) await unlock.click()
  await field(page).waitFor()
}

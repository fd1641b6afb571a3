/** What people do in a room that is open before them: write, attach files, watch them on their way, save them. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Locator, Page } from 'playwright-core'

const pieceBytes = 1_000_000

/** Noise, so that nothing is smaller on its way. Its hash. */
export async function makeFile(path: string, sizeBytes: number): Promise<string> {
  const file = await open(path, 'w')
  for (let left = sizeBytes; left > 0; left -= pieceBytes)
    await file.write(randomBytes(Math.min(left, pieceBytes)))
  await file.close()
  return sha256(path)
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** By the browser's own protocol, which takes files of any size from the disk. */
export async function chooseFile(page: Page, path: string): Promise<void> {
  await page.locator('.composer input[type=file]').waitFor({ state: 'attached' })
  const cdp = await page.context().newCDPSession(page)
  const { root } = await cdp.send('DOM.getDocument')
  const { nodeId } = await cdp.send('DOM.querySelector', {
    nodeId: root.nodeId,
    selector: '.composer input[type=file]',
  })
  await cdp.send('DOM.setFileInputFiles', { files: [path], nodeId })
  // Not detached: Chromium would take the authenticators of the page with it.
  await page.locator('dialog .file-sheet').waitFor()
}

/** It is sealed when this resolves. */
export async function attach(page: Page, path: string): Promise<void> {
  await chooseFile(page, path)
  await page.locator('dialog button[type=submit]').click()
  await page.locator('dialog').waitFor({ state: 'detached' })
}

/** Four times further than before, and never back. */
export async function grows(page: Page): Promise<void> {
  const progress = transfer(page).locator('progress')
  await progress.waitFor()
  let last = 0
  for (let seen = 0; seen < 4; ) {
    const now = await progress.evaluate<number, { value: number }>(element => element.value)
    if (now < last) throw new Error(`the progress went back from ${last} to ${now}`)
    if (now > last) seen++
    last = now
    await page.waitForTimeout(20)
  }
}

export function transfer(page: Page): Locator {
  return page.locator('.transfer')
}

export function save(page: Page, name: string): Locator {
  return line(page, name).getByRole('button', { name: /^Save/ })
}

/** No word of waiting, leaving or failure is left at it. */
export async function sent(page: Page, name: string): Promise<void> {
  const isUnderWay = ':has(.margin.queued, .margin.sending, .margin.failed)'
  await page.locator(`li.message:not(${isUnderWay})`, { hasText: name }).waitFor()
}

/** Once what was left unsent there has been read: before, nobody can type. */
export function field(page: Page): Locator {
  return page.locator('.composer-place:not([inert]) .composer textarea')
}

export async function write(page: Page, text: string): Promise<void> {
  await field(page).fill(text)
  await field(page).press('Enter')
}

export function line(page: Page, text: string): Locator {
  return page.locator('li.message', { hasText: text }).last()
}

/** After a reload the vault may be locked: its passkey opens it. */
export async function unlocked(page: Page): Promise<void> {
  const unlock = page.locator('.enter button.main').first()
  await unlock.or(field(page)).first().waitFor()
  if (await unlock.isVisible()) await unlock.click()
  await field(page).waitFor()
}

/** A disk that rots: what is broken and must not read as absent is given up by a person's yes, at the place, and the rest goes on. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { damageRecord } from '../support/damaged-record.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, finish, inside, pictures } from './app.ts'
import { line, sent, unlocked, write } from './conversation.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
let world: AppWorld
let rim: Visitor
let karim: Visitor
/** Of Rim. */
let vault: { userId: string; recoveryKey: string }
let roomId: string

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
  karim = await world.enrolled('karim', 'Karim Aziz')
  rim = await world.visitor()
  await rim.page.goto(await world.invite('rim', 'Rim Haddad'))
  await rim.page.locator('button[type=submit].main').click()
  await rim.page.locator('.enter-key').waitFor()
  const recoveryKey = (await rim.page.locator('.enter-key li').allTextContents()).join(' ')
  vault = { userId: world.idOf('rim'), recoveryKey }
  await rim.page.locator('.enter-foot button').click()
  await finish(rim.page)
})
test.after.always(() => world?.close())
test.afterEach.always(async t => {
  if (!t.passed) await rim.page.screenshot({ path: join(pictures, 'damaged-failed.png') })
})

const goOn = (page: Page) => page.getByRole('button', { name: 'Go on without it' })

async function giveUp(page: Page): Promise<void> {
  await goOn(page).click()
  await page.getByText('This cannot be undone.').waitFor()
  await page.getByRole('button', { name: 'Give it up and go on' }).click()
  await goOn(page).waitFor({ state: 'detached' })
}

test.serial(
  'a room’s record is broken: nothing leaves in the clear, and it goes on once it is given up',
  async t => {
    const { page } = rim
    await page.evaluate(`location.hash = '#/new/room'`)
    await page.getByLabel('Name', { exact: true }).fill('Ward 7')
    await page.getByLabel('Find a person').fill('karim')
    await page.locator('.picker-list button').first().click()
    await page.getByRole('button', { name: 'Create room' }).click()
    await page.locator('#room-title', { hasText: 'Ward 7' }).waitFor()
    await karim.page.locator('a.room', { hasText: 'Ward 7' }).click()
    await karim.page.getByRole('button', { name: 'Accept' }).click()
    await write(page, 'before the damage')
    await line(karim.page, 'before the damage').waitFor()
    roomId = decodeURIComponent(/#\/room\/([^/]+)/.exec(page.url())![1]!)

    await damageRecord(page, vault, { store: 'room', id: roomId })
    await write(page, 'while it is broken')
    await page.getByText('A part of what is stored on this device is damaged').first().waitFor()
    await page.getByText('whom you let in').first().waitFor()
    t.deepEqual(await looked(page, 'damaged-room'), [])
    t.is(await karim.page.getByText('while it is broken').count(), 0)
    await page.getByRole('button', { name: 'Go on without it' }).click()
    t.deepEqual(await looked(page, 'damaged-room-sure'), [])
    await giveUp(page)
    await sent(page, 'while it is broken')
    await line(karim.page, 'while it is broken').waitFor()
    t.is(await line(karim.page, 'while it is broken').locator('.shield').count(), 0)
    await write(karim.page, 'and back')
    await line(page, 'and back').waitFor()
  },
)

test.serial(
  'the identity of somebody is broken: it comes back from the server, and messages go on',
  async t => {
    const { page } = rim
    await damageRecord(page, vault, { store: 'identity', id: world.idOf('karim') })
    await write(page, 'to whom am I writing')
    await page.getByText('the key that it saw first').waitFor()
    t.is(await karim.page.getByText('to whom am I writing').count(), 0)
    await giveUp(page)
    await sent(page, 'to whom am I writing')
    await line(karim.page, 'to whom am I writing').waitFor()
  },
)

test.serial(
  'the proof that we are ourselves is broken: it is asked for, and opened again by the recovery key',
  async t => {
    const { page } = rim
    await damageRecord(page, vault, { store: 'identity', id: vault.userId })
    await page.reload()
    await page.getByRole('button', { name: 'Unlock with passkey' }).click()
    await page.getByText('Damaged is what this device noted about your own identity.').waitFor()
    t.deepEqual(await looked(page, 'damaged-self'), [])
    await giveUp(page)
    await page.getByLabel('Recovery key').fill(vault.recoveryKey)
    await page.getByRole('button', { name: 'Unlock' }).click()
    await page.locator('nav.list').or(page.locator('[data-stage=last-step]')).first().waitFor()
    if (await page.locator('[data-stage=last-step]').isVisible()) await finish(page)
    await inside(page)
    await page.evaluate(`location.hash = '#/room/${encodeURIComponent(roomId)}'`)
    await write(page, 'it is me again')
    await line(karim.page, 'it is me again').waitFor()
  },
)

test.serial('the keys of the device are broken: it becomes a new device, and what is here stays', async t => {
  const { page } = rim
  await damageRecord(page, vault, { store: 'account', id: 'account' })
  await page.reload()
  await page.getByRole('button', { name: 'Unlock with passkey' }).click()
  await page.getByText('Damaged are the keys of this device itself.').waitFor()
  t.deepEqual(await looked(page, 'damaged-device'), [])
  await giveUp(page)
  await page
    .getByRole('button', { name: /^Sign in/ })
    .first()
    .click()
  await page.locator('nav.list').or(page.locator('[data-stage=last-step]')).first().waitFor()
  if (await page.locator('[data-stage=last-step]').isVisible()) await finish(page)
  await inside(page)
  await page.evaluate(`location.hash = '#/room/${encodeURIComponent(roomId)}'`)
  await line(page, 'before the damage').waitFor()
  await line(page, 'and back').waitFor()
  await write(page, 'from a new device')
  await sent(page, 'from a new device')
  await line(karim.page, 'from a new device').waitFor()
  await write(karim.page, 'read on the new device')
  await line(page, 'read on the new device').waitFor()
  await page.reload()
  await unlocked(page)
  await line(page, 'read on the new device').waitFor()
})

import type { Page } from 'playwright-core'
import type { DemoDevice } from '../../scripts/demo/demo-device.ts'
import { DemoServer, userIdOf } from '../../scripts/demo/demo-server.ts'
import { historyMs, liveThrough } from '../../scripts/demo/live.ts'
import type { Name } from '../../scripts/demo/organisation.ts'
import { freePort } from '../support/free-port.ts'
import { patienceMs } from '../support/until.ts'

/** Bidi overrides and piled marks, as somebody may name a room. */
export const hostileName = `\u202eبودغيت\u202c 2027 ${'e\u0301\u0302\u0303\u0304\u0305\u0306'.repeat(40)}`

export interface InsideWorld {
  readonly server: DemoServer
  readonly devices: ReadonlyMap<Name, DemoDevice>
  /** Where this person opens the app. */
  readonly addressOf: (name: Name) => string
  readonly views: readonly InsideView[]
  /** Somebody writes, now that a new device reads along. */
  readonly write: () => Promise<void>
  /** Does this text reach that person's own device? */
  readonly reads: (name: Name, text: string) => Promise<boolean>
}

export interface InsideView {
  readonly name: string
  readonly hash: string
  /** What is done there, and to be seen afterwards. */
  readonly open?: (page: Page) => Promise<void>
}

/** The clinic with its history, seen by Jonas, whom somebody else has just invited. */
export async function openInsideWorld(): Promise<InsideWorld> {
  const now = Date.now()
  const server = await DemoServer.start(await freePort(), now - historyMs)
  const devices = await liveThrough(server, now, () => {})
  const invited = await devices.get('amal')!.calls.createRoom({
    name: hostileName,
    invite: [userIdOf('jonas')],
    isDirect: false,
    encrypted: true,
    joinRule: 'invite',
  })
  const entries = await devices.get('jonas')!.calls.rooms(null)
  const idOf = (name: string) => entries.find(entry => entry.name === name)!.roomId
  return {
    server,
    devices,
    addressOf: name => `http://${name}.localhost:${server.port}/`,
    views: views(idOf('Ward 4'), idOf('Noor Clinic'), invited),
    reads: async (name, text) => {
      for (let i = 0; i < patienceMs / 250; i++) {
        const { items } = await devices.get(name)!.calls.timeline({
          roomId: idOf('Ward 4'),
          at: 'end',
          before: 10,
          after: 0,
        })
        if (items.some(({ content }) => content['body'] === text)) return true
        await new Promise(resolve => setTimeout(resolve, 250))
      }
      return false
    },
    write: async () => {
      await devices.get('claire')!.calls.send({
        roomId: idOf('Ward 4'),
        type: 'm.room.message',
        content: { msgtype: 'm.text', body: `The round begins at ten, with the ${searched}.` },
      })
    },
  }
}

function views(ward: string, clinic: string, invited: string): InsideView[] {
  const room = (id: string) => `#/room/${encodeURIComponent(id)}`
  const person = `#/person/${encodeURIComponent(userIdOf('claire'))}`
  return [
    { name: 'start', hash: '#/' },
    { name: 'room', hash: room(ward), open: messages },
    { name: 'thread', hash: room(ward), open: openThread },
    { name: 'room-settings', hash: room(ward), open: openRoomSettings },
    { name: 'invitation', hash: room(invited) },
    { name: 'space', hash: room(clinic) },
    { name: 'search', hash: '#/search', open: searchWord },
    { name: 'switcher', hash: '#/', open: openSwitcher },
    ...['room', 'space', 'message', 'join'].map(kind => ({ name: `new-${kind}`, hash: `#/new/${kind}` })),
    { name: 'person', hash: person },
    { name: 'verification', hash: person, open: askToVerify },
    ...['', 'devices', 'recovery', 'notifications', 'privacy', 'sign-out'].map(page => ({
      name: `settings-${page || 'list'}`,
      hash: `#/settings/${page}`,
    })),
    { name: 'help', hash: '#/help/' },
    { name: 'help-article', hash: '#/help/administrators' },
  ]
}

async function messages(page: Page): Promise<void> {
  await page.locator('.pane [role=listitem], .pane .message').first().waitFor()
}

async function openThread(page: Page): Promise<void> {
  const address = await page.locator('a.thread-summary').last().getAttribute('href')
  await page.evaluate(hash => {
    location.hash = hash!
  }, address)
  await page.waitForURL(/thread/)
  await messages(page)
}

async function openRoomSettings(page: Page): Promise<void> {
  if (!(await page.locator('.trust-bar').isVisible())) await page.locator('.room-head .head-words').click()
  await page.locator('.trust-bar .icon-button').first().click()
  await page.locator('dialog[open]').waitFor()
}

/** In one message alone. */
const searched = 'students'

async function searchWord(page: Page): Promise<void> {
  await page.locator('.search-form input[type=search]').fill(searched)
  await page.locator('.search-list li').first().waitFor()
}

async function openSwitcher(page: Page): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.locator('.switcher').waitFor()
}

async function askToVerify(page: Page): Promise<void> {
  await page.locator('.person .button.main').click()
  await page.locator('dialog[open] .verification').waitFor()
}

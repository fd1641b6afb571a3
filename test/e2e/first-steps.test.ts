/** The first commands of the README, in a tree as it is after a clone and `npm ci`: nothing built, nothing kept. */
import { type ChildProcess, execSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Browser, Locator, Page } from 'playwright-core'
import { freePort } from '../support/free-port.ts'
import { withoutLetro } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { launchChromium } from '../support/visitor.ts'
import { pictures } from './app.ts'
import { field, write } from './conversation.ts'

const root = join(import.meta.dirname, '../..')
const clone = mkdtempSync(join(tmpdir(), 'letro-clone-'))
let browser: Browser
test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  // Of the tree as it is, with what is not committed yet.
  execSync(`git ls-files -z -co --exclude-standard | tar -c --null -T - | tar -x -C ${clone}`, { cwd: root })
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  browser = await launchChromium()
})
test.after.always(async () => {
  await browser?.close()
  rmSync(clone, { recursive: true, force: true })
})

test.serial('npm start builds the app, serves it, and says how its first administrator comes in', async t => {
  const port = await freePort()
  const server = npm(t, ['start'], {
    LETRO_LISTEN_CLIENT: `localhost:${port}`,
    LETRO_SERVER_ORIGIN: `http://localhost:${port}`,
  })
  await server.says(/\/enrol#/)
  const page = await browser.newPage()
  await page.goto(/http:\S+\/enrol#\S+/.exec(server.output())![0])
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  await page.screenshot({ path: join(pictures, 'start.png') })
  t.regex((await page.locator('body').textContent()) ?? '', /passkey/i)
  await page.close()
  server.child.kill('SIGTERM')
  t.is(await server.ended, 0)
})

test.serial(
  'npm run demo: two people write, the server stops, they keep writing, each message arrives once',
  async t => {
    const port = await freePort()
    const demo = npm(t, ['run', 'demo', '--', '--port', String(port)])
    await demo.says(/q {3}end/)
    const amal = await signedIn('amal', port, /Jonas Weber/)
    const jonas = await signedIn('jonas', port, /أمل ناصر/)
    await write(amal, 'Are you there?')
    await line(jonas, 'Are you there?').waitFor()
    await write(jonas, 'I am.')
    await line(amal, 'I am.').waitFor()

    demo.child.stdin!.write('s')
    await demo.says(/The server is stopped/)
    const words = ['one', 'two', 'three', 'four'].map(each => `${each} meanwhile`)
    for (const [i, text] of words.entries()) {
      const of = i % 2 === 0 ? amal : jonas
      await write(of, text)
      await line(of, text).waitFor()
    }
    await amal.screenshot({ path: join(pictures, 'demo-amal-stopped.png') })
    t.is(await line(jonas, words[0]!).count(), 0)

    demo.child.stdin!.write('s')
    await demo.says(/The server is back/)
    for (const page of [amal, jonas]) {
      for (const text of words) await line(page, text).waitFor()
      await page.waitForTimeout(1000)
      for (const text of words) t.is(await line(page, text).count(), 1, text)
    }
    const inOrder = async (page: Page, of: readonly string[]) =>
      (await page.locator('li.message .words').allTextContents())
        .map(each => each.trim())
        .filter(each => of.includes(each))
    for (const page of [amal, jonas])
      for (const theirs of [words.filter((_, i) => i % 2 === 0), words.filter((_, i) => i % 2 === 1)])
        t.deepEqual(await inOrder(page, theirs), theirs)
    await jonas.screenshot({ path: join(pictures, 'demo-jonas.png') })
    demo.child.stdin!.write('q')
    t.is(await demo.ended, 0)
  },
)

async function signedIn(localpart: string, port: number, roomName: RegExp): Promise<Page> {
  const page = await (await browser.newContext({ locale: localpart === 'amal' ? 'ar' : 'en' })).newPage()
  await page.goto(`http://${localpart}.localhost:${port}/#/demo/${localpart}`)
  await page
    .locator('.list a', { has: page.locator('.room-name', { hasText: roomName }) })
    .first()
    .click()
  await field(page).waitFor()
  return page
}

function line(page: Page, text: string): Locator {
  return page.locator('li.message').filter({ has: page.getByText(text, { exact: true }) })
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output(): string
  says(what: RegExp): Promise<void>
}

function npm(t: ExecutionContext, args: readonly string[], settings: Record<string, string> = {}): Run {
  const child = spawn('npm', [...args], {
    cwd: clone,
    env: { ...withoutLetro(process.env), ...settings },
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const ended = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
  t.teardown(async () => {
    // The shell that npm starts and what runs in it.
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL')
    await ended
  })
  return {
    child,
    ended,
    output: () => output,
    async says(what) {
      await until(() => what.test(output) || child.exitCode !== null)
      t.regex(output, what)
    },
  }
}

/** A Chromium with a profile on disk that can be killed as a power cut would, and started again on what it left. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { chromiumArgs, findChromium } from './chromium.ts'
import { patienceMs, until } from './until.ts'

export interface Killable {
  readonly context: BrowserContext
  readonly page: Page
  /** Nothing of it runs any more when this resolves. */
  kill(): Promise<void>
}

export async function launchKillable(profile: string): Promise<Killable> {
  const portFile = join(profile, 'DevToolsActivePort')
  await rm(portFile, { force: true })
  const flags = [...chromiumArgs, '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`]
  // A group of its own: nothing of it goes on writing after the kill.
  const process = spawn(findChromium()!, [...flags, 'about:blank'], { detached: true, stdio: 'ignore' })
  const exited = once(process, 'exit')
  let port = ''
  while (!port) {
    await new Promise(resolve => setTimeout(resolve, 50))
    port = (await readFile(portFile, 'utf8').catch(() => '')).split('\n')[0]!
  }
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { timeout: patienceMs })
  const context = browser.contexts()[0]!
  context.setDefaultTimeout(patienceMs)
  const kill = async () => {
    if (process.exitCode === null && process.signalCode === null) {
      globalThis.process.kill(-process.pid!, 'SIGKILL')
      await exited
      // Whoever still dies holds the locks of its databases.
      await until(async () => !(await isAnyAlive(process.pid!)))
    }
    await browser.close()
  }
  return { context, page: context.pages()[0]!, kill }
}

/** Of a process group; what only waits to be buried counts as dead. */
async function isAnyAlive(group: number): Promise<boolean> {
  const processes = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const stats = await Promise.all(processes.map(id => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')))
  return stats.some(stat => {
    const [state, , ofGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(ofGroup) === group && state !== 'Z' && state !== 'X'
  })
}

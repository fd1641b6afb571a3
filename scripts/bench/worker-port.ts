/**
 * A port of our own to the worker that a page of the app has: what a bench asks it costs the page nothing, and is asked by the
 * same calls as the page's.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { outDir } from '../app-build.ts'

export class WorkerPort {
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
  }

  /** Before the page is opened: its own policy would let nobody make a worker of an address. */
  static async allow(page: Page): Promise<void> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Page.setBypassCSP', { enabled: true })
  }

  static async open(page: Page, account: string): Promise<WorkerPort> {
    const script = readdirSync(join(outDir, 'assets')).find(name => /^shared-worker.*\.js$/.test(name))
    await page.evaluate(`{
      const { port } = new SharedWorker('/assets/${script}', { type: 'module', name: ${JSON.stringify(account)} })
      const pending = new Map()
      let next = 1
      port.onmessage = ({ data }) => {
        if ('notice' in data) return
        const { resolve, reject } = pending.get(data.id)
        pending.delete(data.id)
        if (data.refusal) reject(new Error(data.refusal.code + ': ' + data.refusal.message))
        else resolve(data.answer)
      }
      globalThis.askWorker = (call, argument) => new Promise((resolve, reject) => {
        const id = next++
        pending.set(id, { resolve, reject })
        port.postMessage({ id, call, argument })
      })
    }`)
    return new WorkerPort(page)
  }

  /** The calls are those of pwa/worker/calls.ts, whose types need a browser's. */
  ask<Answer>(call: string, argument: unknown): Promise<Answer> {
    return this.#page.evaluate(
      ([call, argument]) => {
        const page = globalThis as unknown as { askWorker(call: string, argument: unknown): Promise<Answer> }
        return page.askWorker(call, argument)
      },
      [call, argument] as const,
    )
  }
}

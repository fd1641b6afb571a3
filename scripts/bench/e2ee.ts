/**
 * The ratchets in a worker of a real browser, beside the Rust implementation's wasm over the same inputs.
 *
 * Each of theirs is the floor of ours: both run in every round, one after the other in the same worker.
 */
import type { Page } from 'playwright-core'
import { serveBundle } from '../../test/support/bundled-page.ts'
import { launchChromium } from '../../test/support/visitor.ts'
import type { Bench, Measure } from './bench.ts'
import type { Asked, MeasureInWorker, Operation } from './e2ee-page/operation.ts'

export function e2ee(
  operation: Operation,
  whose: Asked['whose'] = 'ours',
): (bench: Bench) => Promise<Measure> {
  return async bench => {
    const page = await openPage(bench)
    const { perSecond } = await page.evaluate(
      asked => (globalThis as unknown as { measure: MeasureInWorker }).measure(asked),
      { operation, whose, seconds: bench.seconds },
    )
    return { value: perSecond, facts: {} }
  }
}

function openPage(bench: Bench): Promise<Page> {
  return bench.once('e2ee page', async () => {
    const [chromium, bundle] = await Promise.all([launchChromium(), serveBundle('scripts/bench/e2ee-page')])
    bench.atEnd(async () => {
      await chromium.close()
      await bundle.close()
    })
    const page = await chromium.newPage()
    await page.goto(bundle.url)
    return page
  })
}

/**
 * The ratchets in a worker of a real browser, beside the Rust implementation's wasm over the same inputs.
 *
 * Each of theirs is the floor of ours. The two take turns within one measurement, which theirs makes, and which ours
 * takes up after it.
 */
import type { Page } from 'playwright-core'
import { serveBundle } from '../../test/support/bundled-page.ts'
import { launchChromium } from '../../test/support/visitor.ts'
import type { Bench, Measure } from './bench.ts'
import type { MeasureInWorker, Operation, Rate, Rates } from './e2ee-page/operation.ts'

const measured = new Map<Operation, Rates>()

export function vodozemac(operation: Operation): (bench: Bench) => Promise<Measure> {
  return async bench => {
    const page = await openPage(bench)
    const rates = await page.evaluate(
      asked => (globalThis as unknown as { measure: MeasureInWorker }).measure(asked),
      { operation, seconds: bench.seconds },
    )
    measured.set(operation, rates)
    return measureOf(rates.theirs)
  }
}

export function e2ee(operation: Operation): () => Promise<Measure> {
  return async () => measureOf(measured.get(operation)!.ours)
}

function measureOf({ perSecond, meanPerSecond }: Rate): Measure {
  return { value: perSecond, facts: { 'mean ops/s': meanPerSecond } }
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

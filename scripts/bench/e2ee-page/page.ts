/** The page's end of the bench: hands what is asked to the worker, within reach of `page.evaluate`. */
import type { MeasureInWorker } from './operation.ts'

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })

const measure: MeasureInWorker = asked =>
  new Promise((done, fail) => {
    worker.onmessage = ({ data }) => ('failed' in data ? fail(new Error(data.failed)) : done(data))
    worker.onerror = event => fail(new Error(event.message))
    worker.postMessage(asked)
  })

;(globalThis as { measure?: MeasureInWorker }).measure = measure

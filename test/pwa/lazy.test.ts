/** A view that is loaded when it is first shown, in a real Chromium. */
import test from 'ava'
import { launchChromium } from '../support/visitor.ts'
import { serveFixture } from './fixture-page/serve.ts'

test('a view that is drawn just before another one’s loading ends is shown as well', async t => {
  const fixture = await serveFixture()
  const browser = await launchChromium()
  t.teardown(async () => {
    await browser.close()
    await fixture.close()
  })
  const page = await browser.newPage()
  await page.goto(fixture.url)
  await page.waitForFunction('globalThis.lazy')
  const shown = await page.evaluate(`(async () => {
    const loading = Promise.withResolvers()
    const isAsked = Promise.withResolvers()
    const View = lazy(() => (isAsked.resolve(), loading.promise))
    const [first, second] = [document.createElement('div'), document.createElement('div')]
    render(h(View, {}), first)
    await isAsked.promise
    // Its effects come with the next picture, when the loading has long ended.
    render(h(View, {}), second)
    loading.resolve(() => 'here')
    await new Promise(done => setTimeout(done, 500))
    return [first.textContent, second.textContent]
  })()`)
  t.deepEqual(shown, ['here', 'here'])
})

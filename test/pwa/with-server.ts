/** Tests that share one real server, as a process. */
import anyTest, { type TestFn } from 'ava'
import { ServerProcess } from '../support/server-process.ts'

export function testsWithServer(): TestFn<{ server: ServerProcess }> {
  const test = anyTest as TestFn<{ server: ServerProcess }>
  test.before(async t => {
    t.context = { server: await ServerProcess.start({ compileCache: true }) }
  })
  test.after.always(async t => {
    await t.context.server?.remove()
  })
  return test
}

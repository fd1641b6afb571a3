/** A whole server that a test administers with the token of `admin.token_file`; it closes with the test. */
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts'

export const adminToken = 'x'.repeat(40)

export async function startAdministered(
  t: ExecutionContext,
  config = '',
  options: Omit<TestServerOptions, 'config'> = {},
): Promise<TestServer> {
  const tokenFile = join(tmpdir(), `letro-test-token-${process.pid}-${Math.random()}`)
  await writeFile(tokenFile, adminToken, { mode: 0o600 })
  const server = await startTestServer({
    ...options,
    config: `[admin]\ntoken_file = "${tokenFile}"\n${config}`,
  })
  t.teardown(async () => {
    await server.close()
    await rm(tokenFile, { force: true })
  })
  return server
}

/** A world whose pages people reach through something in the way, which may hold back or change what comes; both go with the test. */
import type { ExecutionContext } from 'ava'
import { Front } from '../support/front.ts'
import { AppWorld } from './app.ts'

export async function openFronted(t: ExecutionContext): Promise<{ front: Front; own: AppWorld }> {
  const front = await Front.open()
  const own = await AppWorld.open({ 'server.origin': front.origin })
  t.teardown(async () => {
    await own.close()
    await front.close()
  })
  front.base = own.server.base
  return { front, own }
}

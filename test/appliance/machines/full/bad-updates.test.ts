/** Update files that are no good, and a stick that is pulled out: each is a sentence on the screen, and nothing changes. */
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test, { registerCompletionHandler } from 'ava'
import { writeUpdateFile } from '../../../../appliance/update/write-update-file.ts'
import { SiteMachine } from '../golden.ts'
import type { Operator } from '../operator.ts'
import { keys } from '../screen.ts'
import { prepared, type Release, settings } from '../settings.ts'
import { beginUpdate, openUpdates, updateStick } from '../updating.ts'

const { folder, current, next } = prepared()
registerCompletionHandler(() => process.exit())

/** A copy of the next release's update file, spoilt. */
function spoilt(name: string, spoil: (file: string) => void): Release {
  const update = join(folder, `letro-${next.version}-${name}-amd64.update`)
  copyFileSync(next.update, update)
  spoil(update)
  return { ...next, update }
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[Math.floor(at)]! ^= 1
  writeFileSync(file, bytes)
}

/** Well-formed, signed by somebody else. */
async function foreign(): Promise<Release> {
  const update = join(folder, 'letro-9.9.9-amd64.update')
  const part = join(folder, 'part')
  writeFileSync(part, Buffer.alloc(8192, 7))
  await writeUpdateFile(
    update,
    {
      version: '9.9.9',
      architecture: 'amd64',
      minimumVersion: '0.0.1',
      counter: 1,
      rootHash: 'ab'.repeat(32),
    },
    { root: part, verity: part, uki: part },
    [generateKeyPairSync('ed25519').privateKey],
  )
  return { version: '9.9.9', image: '', update }
}

async function isRefused(
  own: SiteMachine,
  operator: Operator,
  name: string,
  release: Release,
): Promise<string> {
  await own.machine.plug(name, updateStick(release))
  await openUpdates(operator)
  await operator.choose(basename(release.update))
  await operator.sees(/This update is not used\. Nothing was changed\./, settings.updateMs)
  const [code] = await operator.sees(/UPDATE_[A-Z_]+/)
  await operator.choose('Look at the others')
  await operator.sees(/Updates that were found/, settings.pageMs)
  await operator.choose('Back')
  await operator.sees(/What do you want to do\?/, settings.pageMs)
  await own.machine.type(keys.escape)
  await own.machine.unplug(name)
  return code
}

test('older and foreign updates are refused by name, and people go on writing', async t => {
  const { own, operator } = await SiteMachine.withPeople(t, 'bad-updates', 'updated')
  t.is(await isRefused(own, operator, 'older', current), 'UPDATE_OLDER')
  t.is(await isRefused(own, operator, 'foreign', await foreign()), 'UPDATE_UNKNOWN_KEY')
  await own.keepsItsPromise(t)
})

test('truncated and damaged updates, and a stick that is pulled out in the middle, leave the running release as it was', async t => {
  const { own, operator } = await SiteMachine.withPeople(t, 'pulled-stick')
  const size = statSync(next.update).size
  const short = spoilt('short', file => truncateSync(file, size - 1_000_000))
  t.is(await isRefused(own, operator, 'short', short), 'UPDATE_TRUNCATED')
  const bad = spoilt('bad', file => flip(file, size / 2))
  t.is(await isRefused(own, operator, 'bad', bad), 'UPDATE_DAMAGED')
  await own.machine.plug('update', updateStick(next))
  await beginUpdate(operator, next)
  await operator.sees(/(?:[2-6]\d) % /, settings.updateMs)
  await own.machine.unplug('update')
  await operator.sees(new RegExp(`Writing ${next.version}: it did not work`), settings.updateMs)
  t.log(await operator.sees(/UPDATE_[A-Z_]+/))
  await own.keepsItsPromise(t)
  await own.machine.cut()
  const again = await own.powerOn(t)
  await own.serves()
  await again.sees(new RegExp(`${current.version} in slot A`), settings.bootMs)
  await own.keepsItsPromise(t)
})

/** What somebody changed on the disk while the machine was off. */
import test, { registerCompletionHandler } from 'ava'
import { DiskImage } from '../disk-image.ts'
import { SiteMachine } from '../golden.ts'
import { prepared, settings } from '../settings.ts'
import { Tools } from '../tools.ts'

const { tools, current } = prepared()
registerCompletionHandler(() => process.exit())

function diskOf(name: string): DiskImage {
  return new DiskImage(new Tools(tools), `${prepared().folder}/${name}`)
}

test('a kernel image with one byte changed is refused by the firmware', async t => {
  const own = await SiteMachine.copy('tampered-kernel')
  const disk = diskOf(own.name)
  const [image] = disk.kernelImages
  disk.changeOnEsp(`EFI/Linux/${image}`, bytes => {
    const middle = Math.floor(bytes.length / 2)
    bytes[middle]! ^= 1
    return bytes
  })
  await own.powerOn(t)
  const [refusal] = await own.machine.sees(
    /Access Denied|Security Policy Violation|Security Violation/i,
    settings.bootMs,
  )
  t.log(refusal)
  await t.throwsAsync(own.site.trust(20_000))
})

test('a damaged root is noticed, the machine restarts, and the other slot answers', async t => {
  const own = await SiteMachine.copy('damaged-root', 'updated')
  // Slot B runs: from the first files of the root to the last, one block in eight.
  const disk = diskOf(own.name)
  for (let at = 1; at < 12; at++) disk.corrupt('root-b', at * 8 * 1024 * 1024, 1024 * 1024)
  const operator = await own.powerOn(t)
  const began = performance.now()
  await own.serves(settings.rollBackMs)
  t.log(`the other slot answered after ${Math.round((performance.now() - began) / 1000)} s`)
  await operator.sees(new RegExp(`${current.version} in slot A`), settings.bootMs)
  t.true(own.machine.resets > 0)
})

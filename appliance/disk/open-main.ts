/**
 * letro-disk.service, at every start: finds our disk, mounts the ESP, opens the data if that needs nobody. Whatever goes wrong is in
 * /run/letro/disk.json, and the start goes on: the console shows it.
 */
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskError } from './disk-error.ts'
import { writeDiskState } from './disk-state.ts'
import { removeEmptyImages } from './kernel-images.ts'
import { type Machine, must, thisMachine } from './machine.ts'
import { openAtStart } from './open-data.ts'
import { awaitOurDisk, type OurDisk, ourDisk } from './our-disk.ts'
import { enrolOnlyOnce } from './secure-boot.ts'

await start(thisMachine())

async function start(machine: Machine): Promise<void> {
  try {
    await awaitOurDisk(machine)
    const ours = await ourDisk(machine)
    // First: whether there was data once is written there.
    await mountEsp(machine, ours)
    const { state } = await openAtStart(machine, ours)
    console.info(`the data is ${state}`)
  } catch (error) {
    const sentence = error instanceof DiskError ? error.message : 'This machine’s disk cannot be looked at.'
    console.error(sentence, error)
    await writeDiskState(machine, { state: 'damaged', sentence })
  }
}

/** Whole data opens without it: what is missing then is an update's way back, and the report says so. Never throws. */
async function mountEsp(machine: Machine, { esp }: OurDisk): Promise<void> {
  try {
    const link = join(machine.paths.run, 'esp')
    await mkdir(machine.paths.run, { recursive: true, mode: 0o755 })
    await rm(link, { force: true })
    await symlink(esp.path, link)
    const active = await machine.run('systemctl', ['is-active', '--quiet', 'efi.mount'])
    if (active.code !== 0) await machine.run('fsck.fat', ['-a', '-w', esp.path])
    await must(machine, 'systemctl', ['start', 'efi.mount'], { timeoutMs: 150_000 })
    await removeEmptyImages(machine)
    await enrolOnlyOnce(machine)
  } catch (error) {
    console.error('the partition with the kernel images cannot be mounted and written', error)
  }
}

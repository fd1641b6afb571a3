/** The data once its partition is open: its filesystem checked, mounted by its unit, its folders there. */
import { access, chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { guardClock } from '../network/clock.ts'
import { serverUser } from '../paths.ts'
import { endProvisioning } from '../stick/pending.ts'
import { mappedDevice, mappedName } from './data-partition.ts'
import { DiskError } from './disk-error.ts'
import { type Machine, must } from './machine.ts'

export async function isMapped(machine: Pick<Machine, 'root'>): Promise<boolean> {
  return access(join(machine.root, mappedDevice)).then(
    () => true,
    () => false,
  )
}

/**
 * Checks what a power cut may have left, mounts, makes the folders that are missing, ends what was half done, and puts the clock right. A filesystem that the check cannot mend
 * without a decision is not mounted: a backup is the better answer.
 */
export async function mountData(machine: Machine): Promise<void> {
  const { code, stdout } = await machine.run('e2fsck', ['-p', mappedDevice], { timeoutMs: 3_600_000 })
  if (code < 0 || code >= 4) {
    throw new DiskError(
      'DATA_DAMAGED',
      'The data partition opens, but its filesystem is damaged in a way that cannot be mended by itself.',
      { cause: new Error(stdout.trim().slice(-1000)) },
    )
  }
  await machine.run('systemctl', ['reset-failed', 'var-lib-letro.mount'])
  const mounted = await machine.run('systemctl', ['start', 'var-lib-letro.mount'])
  const active = await machine.run('systemctl', ['is-active', '--quiet', 'var-lib-letro.mount'])
  if (mounted.code !== 0 || active.code !== 0) {
    throw new DiskError('DATA_MOUNT_FAILED', 'The data partition opens, but cannot be mounted.', {
      cause: new Error(mounted.stderr.trim().slice(-1000)),
    })
  }
  await makeFolders(machine)
  endHalfDone(machine)
  await putClockRight(machine)
  await must(machine, 'systemctl', ['start', '--no-block', 'letro-data.target'])
}

/** What the power ended in the middle of setting up a site. Now, while nobody sets one up. */
function endHalfDone(machine: Machine): void {
  try {
    endProvisioning(machine)
  } catch (error) {
    console.error('settings of a site that was being set up could not be taken over', error)
  }
}

/** Before anything runs that judges by it. A clock that cannot be set keeps nobody from their data. */
async function putClockRight(machine: Machine): Promise<void> {
  try {
    const { state, foundTs, setTs } = await guardClock(machine, Date.now())
    const found = new Date(foundTs).toISOString()
    if (setTs !== undefined)
      console.error(`the clock was behind (${found}); it was set to ${new Date(setTs).toISOString()}`)
    if (state === 'ahead')
      console.error(`the clock is far ahead (${found}): it is in doubt until somebody confirms it`)
  } catch (error) {
    console.error('the clock could not be put right', error)
  }
}

/** Stops what uses it, unmounts, closes. Nothing that was acknowledged is lost: the server stops in order. */
export async function unmountData(machine: Machine): Promise<void> {
  await must(machine, 'systemctl', [
    'stop',
    'letro-server.service',
    'letro-data.target',
    'var-lib-letro.mount',
  ])
  if (!(await isMapped(machine))) return
  const { code } = await machine.run('cryptsetup', ['close', mappedName])
  if (code !== 0) {
    throw new DiskError('DATA_IN_USE', 'Something still uses the data. Restart the machine, then try again.')
  }
}

async function makeFolders({ paths }: Machine): Promise<void> {
  const { id } = serverUser
  await chmod(paths.data, 0o755)
  for (const [folder, owner, mode] of [
    [paths.site, id, 0o700],
    [join(paths.site, 'data'), id, 0o700],
    [paths.spool, id, 0o700],
    [paths.settings, 0, 0o700],
  ] as const) {
    await mkdir(folder, { recursive: true, mode })
    // The machine's programs run as root; whoever tries this elsewhere owns what they make.
    if (process.getuid?.() === 0) await chown(folder, owner, owner)
    await chmod(folder, mode)
  }
}

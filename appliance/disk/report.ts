/** The machine report, put together from what firmware, boot loader and this folder know. */
import type { MachineReport, ReportedData } from '#protocol/machine-report.ts'
import { type DiskState, readDiskState } from './disk-state.ts'
import { efiText } from './efi-variables.ts'
import { kernelImages } from './kernel-images.ts'
import type { Machine } from './machine.ts'
import { ourDisk } from './our-disk.ts'
import { thisRelease } from './release.ts'
import { secureBoot } from './secure-boot.ts'
import { hasTpm } from './tpm.ts'

export async function machineReport(machine: Machine): Promise<MachineReport> {
  const release = await thisRelease(machine)
  const images = await kernelImages(machine)
  const trial = await isOnTrial(machine, release.version)
  return {
    release,
    slots: {
      running: await ourDisk(machine).then(
        ({ slot }) => slot,
        () => null,
      ),
      onTrial: trial,
      images: images.map(({ version, triesLeft }) => ({
        version,
        triesLeft,
        running: version === release.version,
      })),
    },
    secureBoot: (await secureBoot(machine)).state,
    tpm: (await hasTpm(machine)) ? 'present' : 'absent',
    data: reportedData(await readDiskState(machine)),
  }
}

/**
 * The boot loader counts this start: its variable stands until the next start, so that what was kept as good since then
 * is seen by the image's name.
 */
export async function isOnTrial(machine: Pick<Machine, 'root' | 'paths'>, version: string): Promise<boolean> {
  if ((await efiText(machine, 'LoaderBootCountPath')) === null) return false
  const ours = (await kernelImages(machine)).filter(image => image.version === version)
  return !ours.some(({ triesLeft }) => triesLeft === null)
}

export function reportedData(disk: DiskState | null): ReportedData {
  switch (disk?.state) {
    case undefined:
      return { state: 'unknown', openedBy: null, sealed: false }
    case 'open':
      return { state: 'open', openedBy: disk.by, sealed: disk.ways.tpm }
    case 'locked':
      return { state: 'locked', openedBy: null, sealed: disk.ways.tpm }
    case 'new':
    case 'damaged':
      return { state: disk.state, openedBy: null, sealed: false }
    default:
      return disk satisfies never
  }
}

/** The machine report, put together from what firmware, boot loader and this folder know. */
import type { MachineReport, ReportedData, ReportedImage } from '#protocol/machine-report.ts'
import { clockState } from '../network/clock.ts'
import { type DiskState, readDiskState } from './disk-state.ts'
import { type FoundImage, kernelImages } from './kernel-images.ts'
import type { Machine } from './machine.ts'
import { ourDisk } from './our-disk.ts'
import { thisRelease } from './release.ts'
import { secureBoot } from './secure-boot.ts'
import { hasTpm } from './tpm.ts'

export async function machineReport(machine: Machine): Promise<MachineReport> {
  const release = await thisRelease(machine)
  const images = await kernelImages(machine)
  return {
    release,
    slots: {
      running: await ourDisk(machine).then(
        ({ slot }) => slot,
        () => null,
      ),
      images: images.map(image => reportedImage(image, release.version)),
    },
    secureBoot: (await secureBoot(machine)).state,
    tpm: (await hasTpm(machine)) ? 'present' : 'absent',
    data: reportedData(await readDiskState(machine)),
    clock: clockState(machine)?.state ?? null,
  }
}

export function reportedImage({ version, triesLeft, good }: FoundImage, running: string): ReportedImage {
  const runs = version === running
  // The one that runs may be at its last try: what comes of it is not known yet.
  if (triesLeft === 0 && !runs) return { version, triesLeft, state: 'bad', running: false }
  return { version, triesLeft, state: good ? 'good' : 'trying', running: runs }
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

/**
 * May this update be applied on this machine? Pure.
 *
 * Version and counter both have to go forward: the boot loader starts the newest version, and the counter says which
 * versions must never run again (a hole was closed), also after the machine went back to an older one by itself.
 */
import type { Manifest } from './manifest.ts'
import type { Release } from './release.ts'
import { UpdateError } from './update-error.ts'
import { compareVersions } from './version.ts'

export interface Room {
  readonly rootBytes: number
  readonly verityBytes: number
  /** Free on the EFI partition once other kernel images are gone. */
  readonly espBytes: number
}

/** Throws UpdateError. @param counter the highest that was ever accepted here */
export function requireFits(manifest: Manifest, release: Release, counter: number): void {
  const { version } = manifest
  if (manifest.product !== release.product) {
    throw new UpdateError(
      'UPDATE_OTHER_PRODUCT',
      `This is an update of ${manifest.product}, and this machine runs ${release.product}. Nothing was changed.`,
    )
  }
  if (manifest.architecture !== release.architecture) {
    throw new UpdateError(
      'UPDATE_OTHER_ARCHITECTURE',
      `This update is for ${manifest.architecture}, and this machine is ${release.architecture}. Nothing was changed. Fetch the file for ${release.architecture}.`,
    )
  }
  const order = compareVersions(version, release.version)
  if (order === 0) {
    throw new UpdateError('UPDATE_RUNNING_ALREADY', `${version} is what runs here. Nothing was changed.`)
  }
  if (order < 0) {
    throw new UpdateError(
      'UPDATE_OLDER',
      `This update is ${version}, and ${release.version} runs here: updates only go forward. Nothing was changed.`,
    )
  }
  const floor = Math.max(counter, release.counter)
  if (manifest.counter < floor) {
    throw new UpdateError(
      'UPDATE_ROLLBACK',
      `${version} was withdrawn: this machine has accepted a release that replaces it (counter ${floor}, this file has ${manifest.counter}). Nothing was changed. Take the newest release.`,
    )
  }
  if (compareVersions(manifest.minimumVersion, release.version) > 0) {
    throw new UpdateError(
      'UPDATE_NEEDS_ANOTHER_FIRST',
      `${version} can be applied on ${manifest.minimumVersion} or newer, and ${release.version} runs here. Nothing was changed. Apply ${manifest.minimumVersion} first.`,
    )
  }
}

/** Throws UPDATE_TOO_LARGE or UPDATE_ESP_FULL. */
export function requireRoom(manifest: Manifest, room: Room): void {
  const [root, verity, uki] = manifest.parts
  for (const [part, bytes] of [
    [root, room.rootBytes],
    [verity, room.verityBytes],
  ] as const) {
    if (part.size <= bytes) continue
    throw new UpdateError(
      'UPDATE_TOO_LARGE',
      `This update needs ${part.size} bytes for ${part.name}, and the partition has ${bytes}. Nothing was changed. Make a backup, install this machine anew with an image of ${manifest.version}, and restore.`,
    )
  }
  if (uki.size <= room.espBytes) return
  throw new UpdateError(
    'UPDATE_ESP_FULL',
    `The EFI partition has no room for the kernel image of ${manifest.version} (${uki.size} bytes, ${room.espBytes} free). Nothing was changed. Something that is not Letro's lies there.`,
  )
}

/**
 * Secure Boot: whether it is on, and enrolling the keys that came with the image.
 *
 * The boot loader enrols `loader/keys/auto` in setup mode: by itself in a virtual machine (`if-safe`), on hardware only once
 * somebody asked for it at the console (`force`, for the next start alone: on hardware whose option ROMs are signed by
 * Microsoft, keys without Microsoft's can keep a graphics or network card from starting).
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DiskError } from './disk-error.ts'
import { copyDurably, writeInPlace } from './durable-file.ts'
import { efiFlag } from './efi-variables.ts'
import type { Machine } from './machine.ts'

export interface SecureBoot {
  /** setup: firmware waits for keys · unsupported: no such thing in this firmware. */
  readonly state: 'on' | 'off' | 'setup' | 'unsupported'
  /** The image brings keys, so that they can be enrolled in setup mode. */
  readonly hasKeys: boolean
  /** And a second set that trusts Microsoft's as well. */
  readonly hasMicrosoftKeys: boolean
}

const keyFiles = ['db.auth', 'KEK.auth', 'PK.auth']

export async function secureBoot(machine: Pick<Machine, 'root' | 'paths'>): Promise<SecureBoot> {
  const [isOn, isSetup] = await Promise.all([efiFlag(machine, 'SecureBoot'), efiFlag(machine, 'SetupMode')])
  return {
    state: isOn === null ? 'unsupported' : isOn ? 'on' : isSetup ? 'setup' : 'off',
    hasKeys: await hasKeysIn(keysFolder(machine, 'auto')),
    hasMicrosoftKeys: await hasKeysIn(keysFolder(machine, 'microsoft')),
  }
}

/** For the next start, and for that one alone (`enrolOnlyOnce`). */
export async function enrolAtNextStart(
  machine: Pick<Machine, 'root' | 'paths'>,
  { withMicrosoft }: { readonly withMicrosoft: boolean },
): Promise<void> {
  const { state, hasKeys, hasMicrosoftKeys } = await secureBoot(machine)
  if (state !== 'setup') {
    throw new DiskError(
      'SECURE_BOOT_IMPOSSIBLE',
      state === 'on'
        ? 'Secure Boot is on already.'
        : 'Put the firmware into setup mode first (its menu: Secure Boot, “clear keys” or “custom mode”), then start again.',
    )
  }
  if (!(withMicrosoft ? hasMicrosoftKeys : hasKeys)) {
    throw new DiskError('SECURE_BOOT_IMPOSSIBLE', 'This image was built without such keys.')
  }
  if (withMicrosoft) {
    // Whole before anybody is told to enrol them.
    for (const name of keyFiles)
      await copyDurably(join(keysFolder(machine, 'microsoft'), name), join(keysFolder(machine, 'auto'), name))
  }
  await setEnrolment(machine, 'force')
}

/** At each start: what somebody asked for once is not done again. */
export async function enrolOnlyOnce(machine: Pick<Machine, 'paths'>): Promise<void> {
  const loader = await readFile(loaderFile(machine), 'utf8').catch(() => '')
  if (/^\s*secure-boot-enroll\s+force\s*$/m.test(loader)) await setEnrolment(machine, 'if-safe')
}

/** Of the same length for both, so that it is written in place: one sector is written whole or not at all, vfat's rename is not. */
export function withEnrolment(loader: string, enrolment: 'if-safe' | 'force'): string {
  const line = `secure-boot-enroll ${enrolment.padEnd('if-safe'.length)}`
  const setting = /^[ \t]*secure-boot-enroll\b.*$/m
  if (setting.test(loader)) return loader.replace(setting, line)
  return `${loader}${loader === '' || loader.endsWith('\n') ? '' : '\n'}${line}\n`
}

async function setEnrolment(machine: Pick<Machine, 'paths'>, enrolment: 'if-safe' | 'force'): Promise<void> {
  const before = await readFile(loaderFile(machine), 'utf8')
  await writeInPlace(loaderFile(machine), withEnrolment(before, enrolment))
}

const loaderFile = (machine: Pick<Machine, 'paths'>) => join(machine.paths.esp, 'loader', 'loader.conf')
const keysFolder = (machine: Pick<Machine, 'paths'>, name: string) =>
  join(machine.paths.esp, 'loader', 'keys', name)

async function hasKeysIn(folder: string): Promise<boolean> {
  const found = await readdir(folder).catch((): string[] => [])
  return keyFiles.every(name => found.some(file => file.toLowerCase() === name.toLowerCase()))
}

/**
 * What was taken from a stick, in memory under /run: root owns it, the server's user may read it. From here on the stick may be
 * pulled out, and what is applied is what was shown.
 */
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { type StickFile, stickFile } from '#protocol/stick.ts'
import { serverUser } from '../paths.ts'
import { type Machine, MachineError } from '../program.ts'

type Place = Pick<Machine, 'paths'>

/** In place of what was there before. */
export function stage(machine: Place, files: readonly StickFile[]): void {
  const folder = stagingFolder(machine)
  unstage(machine)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { name, bytes } of files) stageFile(machine, name, bytes)
  letServerRead(folder, 0o750)
}

/** Beside what is staged. @returns where it is */
export function stageFile(machine: Place, name: string, bytes: string | Uint8Array): string {
  const file = join(stagingFolder(machine), name)
  writeFileSync(file, bytes, { mode: 0o600 })
  letServerRead(file, 0o640)
  return file
}

export function unstage(machine: Place): void {
  rmSync(stagingFolder(machine), { recursive: true, force: true })
}

/** @throws MachineError NOTHING_STAGED */
export function stagedAnswers(machine: Place): JsonObject {
  try {
    const json = parseAnswers(readFileSync(join(stagingFolder(machine), stickFile)))
    if (isObject(json)) return json
  } catch {
    // It was forgotten, or the machine was started anew.
  }
  throw new MachineError('NOTHING_STAGED', 'The stick was not read, or not since the start. Read it again.')
}

export function stagingFolder({ paths }: Place): string {
  return join(paths.run, 'provisioning')
}

/** @throws SyntaxError */
export function parseAnswers(bytes: Uint8Array): unknown {
  // Some editors put a byte order mark in front.
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

function letServerRead(path: string, mode: number): void {
  // Whoever is not root tries it for himself alone.
  if (process.getuid?.() === 0) chownSync(path, 0, serverUser.id)
  chmodSync(path, mode)
}

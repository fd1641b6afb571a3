/** A secret for a program that takes it from a file alone: in memory (a tmpfs), for root, for as long as the program runs. */
import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './machine.ts'

export async function withSecretFile<T>(
  machine: Pick<Machine, 'paths'>,
  secret: string,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = join(machine.paths.run, 'secrets')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, randomUUID())
  try {
    await writeFile(file, secret, { mode: 0o600, flag: 'wx' })
    return await use(file)
  } finally {
    await rm(file, { force: true })
  }
}

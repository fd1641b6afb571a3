/** A secret for a program that takes it from a file alone: in memory (a tmpfs), for root, for as long as the program runs. */
import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './machine.ts'

export async function withSecretFile<T>(
  machine: Pick<Machine, 'secrets'>,
  secret: string,
  use: (file: string) => Promise<T>,
): Promise<T> {
  await mkdir(machine.secrets, { recursive: true, mode: 0o700 })
  const file = join(machine.secrets, randomUUID())
  try {
    await writeFile(file, secret, { mode: 0o600, flag: 'wx' })
    return await use(file)
  } finally {
    await rm(file, { force: true })
  }
}

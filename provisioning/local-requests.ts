/** Asks the server on this machine by a file in its data folder, and waits for the answer (protocol/local-request.ts). */
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  answerFile,
  type LocalAnswer,
  type LocalRequest,
  parseLocalAnswer,
  requestFile,
  requestsFolder,
} from '#protocol/local-request.ts'

export interface Asked {
  readonly id: string
  readonly folder: string
  /** null: nobody took it up in time; the request stays for the server's next start. */
  readonly answer: LocalAnswer | null
}

export async function askServer(data: string, request: LocalRequest, waitMs: number): Promise<Asked> {
  const folder = join(data, requestsFolder)
  // The server reads what belongs to its own user: root gives its files away.
  const { uid, gid } = await stat(data)
  const give = async (path: string) => {
    if (process.getuid?.() === 0) await chown(path, uid, gid)
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  await give(folder)

  const id = randomBytes(16).toString('hex')
  const path = join(folder, requestFile(id))
  await writeFile(`${path}.part`, JSON.stringify(request), { mode: 0o600 })
  await give(`${path}.part`)
  await rename(`${path}.part`, path)
  return { id, folder, answer: await waitFor(join(folder, answerFile(id)), waitMs) }
}

/** Takes back what nobody has taken up. */
export async function withdraw({ folder, id }: Asked): Promise<void> {
  await rm(join(folder, requestFile(id)), { force: true })
}

async function waitFor(path: string, waitMs: number): Promise<LocalAnswer | null> {
  const until = Date.now() + waitMs
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => null)
    if (text !== null) {
      await rm(path, { force: true })
      return parseLocalAnswer(text)
    }
    if (Date.now() >= until) return null
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/**
 * A disk that takes a part of a write before it is full says so only to whoever looks how much it took. Here by a limit on the size of
 * files, which the kernel treats alike.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'

const backupFile = join(import.meta.dirname, '../../server/backup/backup-file.ts')
const name = 'letro-localhost-20261121T020000Z-000.age'

/** @param kibibytes that a file may have */
function write(folder: string, kibibytes: number): Promise<string> {
  const program = `
    const { writeBackupFile } = await import(${JSON.stringify(backupFile)})
    const pieces = (async function* () { yield Buffer.alloc(30_000, 1) })()
    console.log(await writeBackupFile(${JSON.stringify(folder)}, '${name}', pieces).catch(error => error.code))`
  const limited = `trap '' XFSZ; ulimit -f ${kibibytes}; exec "$0" --input-type=module --eval "$1"`
  return new Promise((fulfil, reject) => {
    execFile('bash', ['-c', limited, process.execPath, program], (error, out, err) =>
      error ? reject(new Error(err)) : fulfil(out.trim()),
    )
  })
}

test('a backup of which the disk took only a part is none, and nothing of it is left', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-short-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  t.is(await write(folder, 16), 'EFBIG')
  t.deepEqual(await readdir(folder), [])
  t.is(await write(folder, 64), '30000')
  t.deepEqual(await readdir(folder), [name])
})

/** kill -9 at random moments: nothing acknowledged is missing, nothing is half there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { checkFolder } from '../../server/store/check.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { latest, writers, written } from './durability.writer.ts'

const rounds = 10

test(`nothing acknowledged is lost in ${rounds} kills`, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'letro-kill-'))
  const acknowledged = new Array<number>(writers).fill(0)
  let total = 0
  for (let round = 0; round < rounds; round++) {
    const child = spawn(process.execPath, ['test/store/durability.writer.ts', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await once(child.stdout, 'data')
    await new Promise(resolve => setTimeout(resolve, Math.random() * 150))
    child.kill('SIGKILL')
    await once(child, 'close')
    const lines = text.split('\n').slice(0, -1)
    total += lines.length
    for (const line of lines) {
      const [writer, n] = line.split(' ').map(Number) as [number, number]
      acknowledged[writer] = n
    }

    const store = await openLevelStore(folder)
    const found = await store.read(view =>
      view.getMany(Array.from({ length: writers }, (_, w) => latest.key(w))),
    )
    for (const [writer, row] of found.entries()) {
      const n = row?.n ?? 0
      t.true(
        n >= acknowledged[writer]!,
        `round ${round}: writer ${writer} has ${n}, was told ${acknowledged[writer]}`,
      )
      // All or none: each number up to the latest one has its row, and none is beyond it.
      const rows = await store.read(view => view.range(written.under(writer)))
      t.is(rows.length, n)
      t.is(rows.at(-1)?.value.n ?? 0, n)
      acknowledged[writer] = n
    }
    await store.close()
  }
  t.deepEqual((await checkFolder(folder)).findings, [])
  t.log(`${total} acknowledged writes, none lost`)
  await rm(folder, { recursive: true })
})

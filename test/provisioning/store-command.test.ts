/** `letro store` as a process: exit codes and words. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { textTable } from '../../server/store/key.ts'
import { openLevelStore } from '../../server/store/level-engine.ts'
import { storeFolder } from '../../server/store/level-folder.ts'

const notes = textTable('zc', 'command test: notes', ['u32'])

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function letro(...args: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    execFile(process.execPath, ['provisioning/letro.ts', ...args], (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

async function dataFolder(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'letro-command-'))
  const store = await openLevelStore(storeFolder(data))
  for (let n = 0; n < 200; n++) {
    await store.transact('o', tx => tx.put(notes.key(n), `note ${n} `.repeat(20)))
  }
  await store.close()
  return data
}

async function damageLog(data: string): Promise<void> {
  const db = join(storeFolder(data), 'db')
  const name = (await readdir(db)).find(file => file.endsWith('.log'))!
  const bytes = await readFile(join(db, name))
  const middle = bytes.length >> 1
  bytes[middle] = bytes[middle]! ^ 4
  await writeFile(join(db, name), bytes)
}

test('sound data: 0, and how much was looked at', async t => {
  const data = await dataFolder()
  const { code, out } = await letro('store', 'check', '--data', data)
  t.is(code, 0)
  t.regex(out, /All is well: \d+ rows/)
  const repaired = await letro('store', 'repair', '--data', data)
  t.is(repaired.code, 0)
  t.regex(repaired.out, /nothing was changed/)
  await rm(data, { recursive: true })
})

test('damaged data: 1 and what to type; repaired: 0, and sound from then on', async t => {
  const data = await dataFolder()
  await damageLog(data)
  const found = await letro('store', 'check', '--data', data)
  t.is(found.code, 1)
  t.regex(found.out, /DAMAGED/)
  t.regex(found.out, /Log \d+\.log is damaged/)
  t.true(found.out.includes(`letro store repair --data ${data}`))

  const json = await letro('store', 'check', '--data', data, '--json')
  t.is(json.code, 1)
  t.is((JSON.parse(json.out) as { findings: unknown[] }).findings.length, 1)

  const repaired = await letro('store', 'repair', '--data', data)
  t.is(repaired.code, 0, repaired.out + repaired.err)
  t.regex(repaired.out, /Start the server/)
  t.regex(repaired.out, /signs everybody out/)
  t.is((await letro('store', 'check', '--data', data)).code, 0)
  await rm(data, { recursive: true })
})

test('data that somebody has open who does not answer: 3', async t => {
  const data = await dataFolder()
  const store = await openLevelStore(storeFolder(data))
  for (const command of ['check', 'repair']) {
    const { code, err } = await letro('store', command, '--data', data)
    t.is(code, 3)
    t.regex(err, /in use/)
  }
  const { err } = await letro('store', 'check', '--data', data, '--json')
  t.is((JSON.parse(err) as { code: string }).code, 'STORE_LOCKED')
  await store.close()
  await rm(data, { recursive: true })
})

test('no such folder: 4; no such option: 2; help: 0', async t => {
  t.is((await letro('store', 'check', '--data', '/nonexistent')).code, 4)
  const empty = await mkdtemp(join(tmpdir(), 'letro-command-'))
  const { code, err } = await letro('store', 'check', '--data', empty)
  t.is(code, 4)
  t.regex(err, /server\.data/)
  t.deepEqual(await readdir(empty), [])
  t.is((await letro('store', 'check')).code, 2)
  t.is((await letro('store', 'check', '--folder', 'x')).code, 2)
  t.is((await letro('nonsense')).code, 2)
  const help = await letro('store', 'repair', '--help')
  t.is(help.code, 0)
  t.regex(help.out, /Examples:/)
  t.regex(help.out, /Exit codes:/)
})

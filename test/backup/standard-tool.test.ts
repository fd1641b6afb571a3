/** The standard tool, age itself, opens our backups, and we open what it made. */
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test from 'ava'
import { unseal } from '../../server/backup/unseal.ts'
import { addEvents, addMedia, backUp, makeData, makeSite, newKeys, withFolder } from './backup-data.ts'

const cache = resolve('node_modules/.cache/age')
const age = join(cache, 'usr/bin/age')

/** Debian's package, unpacked and not installed. */
function isThere(): boolean {
  if (existsSync(age)) return true
  if (!existsSync('/usr/bin/apt-get')) return false
  const work = `${cache}.${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    execFileSync('apt-get', ['download', 'age'], { cwd: work, stdio: 'ignore' })
    const deb = readdirSync(work).find(name => name.endsWith('.deb'))!
    execFileSync('dpkg', ['-x', join(work, deb), join(work, 'root')])
    renameSync(join(work, 'root'), cache)
  } catch {
    // None to be had.
  }
  rmSync(work, { recursive: true, force: true })
  return existsSync(age)
}

const withAge = isThere() ? test : test.skip

withAge('a security officer opens a backup with age, and reads what is in it', t =>
  withFolder(t, async folder => {
    const site = makeSite('clinic.example')
    const data = join(folder, 'data')
    const { identity, recipient } = await newKeys()
    await makeData(data, site)
    await addEvents(data, 0, 2_000)
    await addMedia(data, Buffer.alloc(150_000, 'm'))
    const file = join(folder, await backUp(data, folder, site, { recipient }))
    await writeFile(join(folder, 'key'), `${identity}\n`)
    const plain = execFileSync(age, ['-d', '-i', join(folder, 'key'), file], { maxBuffer: 2 ** 28 })
    t.is(plain.toString('latin1', 0, 15), 'letro-backup 1\n')
    t.true(
      plain.includes(
        '{"record":"file","path":"keys/event-signing.json","bytes":26}\n{"secret":"of the server"}',
      ),
    )
    t.regex(plain.toString('latin1', plain.length - 1_500), /\{"record":"end".*"signatures".*\}\n$/)
  }),
)

withAge('what age encrypted for the recipient, we open', t =>
  withFolder(t, async folder => {
    const { identity, recipient } = await newKeys()
    const text = 'x'.repeat(200_000)
    await writeFile(join(folder, 'plain'), text)
    const out = join(folder, 'sealed')
    execFileSync(age, ['-r', recipient, '-o', out, join(folder, 'plain')])
    const pieces: Uint8Array[] = []
    for await (const piece of unseal(createReadStream(out), { identities: [identity] })) pieces.push(piece)
    t.is(Buffer.concat(pieces).toString(), text)
    t.true((await readFile(out)).length > text.length)
  }),
)

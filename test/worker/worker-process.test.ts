import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import { silentLog } from '../../server/http/log.ts'
import { openWorkerProcess, type WorkerOptions } from '../../server/worker-process.ts'
import { until } from '../support/until.ts'

async function open(t: ExecutionContext, options: Partial<WorkerOptions> = {}) {
  const dataFolder = await mkdtemp(join(tmpdir(), 'letro-worker-'))
  await mkdir(join(dataFolder, 'media'))
  const worker = openWorkerProcess({ dataFolder, log: silentLog, ...options })
  t.teardown(async () => {
    await worker.close()
    await rm(dataFolder, { recursive: true, force: true })
  })
  return { worker, dataFolder }
}

const wish = { width: 32, height: 32, method: 'crop', animated: false } as const

async function writePicture(path: string): Promise<void> {
  await sharp({ create: { width: 64, height: 64, channels: 3, background: '#123' } })
    .png()
    .toFile(path)
}

test('a password verifies against its hash, another one does not, and two hashes differ', async t => {
  const { worker } = await open(t)
  const [one, two] = await Promise.all([worker.hash('pässwörd'), worker.hash('pässwörd')])
  t.regex(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.not(one, two)
  t.true(await worker.verify(one, 'pässwörd'))
  t.false(await worker.verify(one, 'passwörd'))
})

test('only a bounded Argon2id hash in PHC form is ever computed', async t => {
  const { worker } = await open(t)
  for (const hash of [
    '',
    '$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$',
    '$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
    '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  ]) {
    await t.throwsAsync(worker.verify(hash, 'password'))
  }
  t.false(await worker.verify('$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA', 'password'))
})

test('a hash that another implementation made verifies', async t => {
  const { worker } = await open(t)
  // The reference implementation's own test: argon2id, 2 passes, 2^16 KiB, 1 lane, "password", "somesalt".
  const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  t.true(await worker.verify(hash, 'password'))
  t.false(await worker.verify(hash, 'Password'))
})

test('the child reads media, ours and copies of others, and nothing else of the data', async t => {
  const { worker, dataFolder } = await open(t)
  await writePicture(join(dataFolder, 'media', 'picture'))
  await writePicture(join(dataFolder, 'secret'))
  t.is((await worker.thumbnail({ path: join(dataFolder, 'media', 'picture'), ...wish })).kind, 'made')
  await mkdir(join(dataFolder, 'remote-media'))
  const copy = join(dataFolder, 'remote-media', 'picture')
  await writePicture(copy)
  t.is((await worker.thumbnail({ path: copy, ...wish })).kind, 'made')
  await t.throwsAsync(worker.thumbnail({ path: join(dataFolder, 'secret'), ...wish }), { message: /Error/ })
})

test('a child that dies takes the picture at work with it; passwords are tried once more by a new child', async t => {
  const { worker, dataFolder } = await open(t)
  await writePicture(join(dataFolder, 'media', 'picture'))
  const hash = await worker.hash('x')
  const first = worker.pid
  const atWork = worker.verify(hash, 'x')
  const waiting = worker.verify(hash, 'y')
  const picture = worker.thumbnail({ path: join(dataFolder, 'media', 'picture'), ...wish })
  process.kill(first!, 'SIGKILL')
  t.true(await atWork)
  t.false(await waiting)
  t.deepEqual(await picture, { kind: 'refused', reason: 'broken' })
  t.not(worker.pid, first)
})

test('a password over which two children died is given up', async t => {
  const { worker } = await open(t)
  const job = worker.hash('x')
  const failed = t.throwsAsync(job, { name: 'WorkerFailed' })
  process.kill(worker.pid!, 'SIGKILL')
  const dead = worker.pid
  await until(() => worker.pid !== dead && worker.pid !== undefined, 1)
  process.kill(worker.pid!, 'SIGKILL')
  await failed
})

test('a job that takes too long is ended, and a picture then counts as broken', async t => {
  const { worker, dataFolder } = await open(t, { jobTimeoutMs: 1 })
  await writePicture(join(dataFolder, 'media', 'picture'))
  await t.throwsAsync(worker.hash('x'), { name: 'WorkerFailed' })
  const answer = await worker.thumbnail({ path: join(dataFolder, 'media', 'picture'), ...wish })
  t.deepEqual(answer, { kind: 'refused', reason: 'broken' })
})

test('a full queue refuses clearly, and pictures do not keep passwords out', async t => {
  const { worker, dataFolder } = await open(t, { maxWaiting: 2 })
  await writeFile(join(dataFolder, 'media', 'words'), 'words')
  const path = join(dataFolder, 'media', 'words')
  const pictures = [1, 2, 3].map(() => worker.thumbnail({ path, ...wish }))
  await t.throwsAsync(worker.thumbnail({ path, ...wish }), { message: /too many pictures/ })
  t.is(typeof (await worker.hash('x')), 'string')
  for (const answer of await Promise.all(pictures)) t.deepEqual(answer, { kind: 'refused', reason: 'format' })
})

test('a child without work ends, and a new one comes when needed', async t => {
  const { worker } = await open(t, { idleMs: 50 })
  t.is(worker.pid, undefined, 'none before the first job')
  await worker.hash('x')
  t.not(worker.pid, undefined)
  await until(() => worker.pid === undefined)
  t.is(typeof (await worker.hash('x')), 'string')
})

test('closing fails what waits and leaves no child', async t => {
  const { worker } = await open(t)
  const jobs = Promise.allSettled([worker.hash('x'), worker.hash('y')])
  await new Promise(resolve => setTimeout(resolve, 20))
  await worker.close()
  t.deepEqual(
    (await jobs).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.is(worker.pid, undefined)
  await t.throwsAsync(worker.hash('z'))
})

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { licenceActs } from '../../appliance/console/real/licence-files.ts'

const nothing = () => {}

test('licences of Debian’s packages, of packages and of those with a scope are all shown', async t => {
  const root = await mkdtemp(join(tmpdir(), 'letro-licences-'))
  t.teardown(() => rm(root, { recursive: true }))
  for (const [folder, file] of [
    ['doc/systemd', 'copyright'],
    ['packages/koa', 'LICENSE'],
    ['packages/@koa/router', 'LICENSE.txt'],
    ['packages/empty', 'package.json'],
  ] as const) {
    await mkdir(join(root, folder), { recursive: true })
    await writeFile(join(root, folder, file), folder)
  }
  const { licences, licence } = licenceActs([join(root, 'doc'), join(root, 'packages')])
  t.deepEqual(await licences(null, nothing), ['@koa/router', 'koa', 'systemd'])
  t.is(await licence({ name: '@koa/router' }, nothing), 'packages/@koa/router')
  await t.throwsAsync(licence({ name: '../../etc/passwd' }, nothing), { code: 'LICENCE_UNKNOWN' })
})

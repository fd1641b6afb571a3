/** When the next backup is due, what stays, and what a name says. */
import test from 'ava'
import { backupName, newChain, parseBackupName, surplus } from '../../server/backup/names.ts'
import { dueAt } from '../../server/backup/nightly.ts'

const hourMs = 3_600_000
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime()
const success = (ts: number) => ({ ts, name: 'x', bytes: 1, full: true, places: ['folder'] as const })
const half2 = 2 * 60 + 30

test('the first backup is due at once, the next ones each night', t => {
  t.true(dueAt(half2, { sinceTs: at(1, 12) }, at(1, 13)) <= at(1, 13))
  t.is(dueAt(half2, { sinceTs: 0, success: success(at(1, 13)) }, at(1, 14)), at(2, 2, 30))
  t.is(dueAt(half2, { sinceTs: 0, success: success(at(2, 2, 31)) }, at(2, 3)), at(3, 2, 30))
  t.is(dueAt(half2, { sinceTs: 0, success: success(at(2, 1)) }, at(2, 2)), at(2, 2, 30))
})

test('after a failure it is tried again within the hour, also by a clock that was set back', t => {
  const failure = { ts: at(2, 3), code: 'SFTP_TIMEOUT', message: '' } as const
  t.is(dueAt(half2, { sinceTs: 0, success: success(at(1, 3)), failure }, at(2, 3, 5)), at(2, 4))
  t.is(dueAt(half2, { sinceTs: 0, success: success(at(3, 3)), failure }, at(3, 4)), at(4, 2, 30))
  t.true(dueAt(half2, { sinceTs: 0, success: success(at(20, 3)) }, at(2, 4)) <= at(2, 4))
  t.true(dueAt(half2, { sinceTs: 0, success: success(at(1, 3)), failure }, at(1, 4)) <= at(2, 2, 30))
  t.is(hourMs, at(2, 4) - at(2, 3))
})

test('a name says which chain and which place in it; other files are none of ours', t => {
  const chain = newChain('clinic.example:8448', Date.UTC(2026, 10, 21, 2, 30))
  t.is(chain, 'letro-clinic.example_8448-20261121T023000Z')
  t.deepEqual(parseBackupName(backupName(chain, 7)), { name: `${chain}-007.age`, chain, number: 7 })
  for (const other of [
    '',
    'letro.toml',
    `${chain}-7.age`,
    `${chain}-0007.age`,
    `${chain}-007.age.part`,
    `x/${chain}-007.age`,
    `../${chain}-007.age`,
    'letro--20261121T023000Z-000.age',
    `${chain}-007.age\n`,
  ]) {
    t.is(parseBackupName(other), null, other)
  }
})

test('chains go as a whole, the oldest first', t => {
  const chains = [1, 2, 3].map(day => newChain('a.example', Date.UTC(2026, 10, day)))
  const names = chains.flatMap(chain => [0, 1, 2].map(number => parseBackupName(backupName(chain, number))!))
  t.deepEqual(surplus(names, 3), [])
  t.deepEqual(surplus(names, 2), names.slice(0, 3))
  t.deepEqual(surplus(names, 1), names.slice(0, 6))
})

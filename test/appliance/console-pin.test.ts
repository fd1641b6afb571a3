import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { PinFile } from '../../appliance/console/pin-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'letro-pin-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))
/** Tries are many here; what one costs is not the question. */
const cheap = 2
let files = 0
const newFile = () => join(folder, `settings${files++}`, 'pin.json')

test('without a PIN everything is right; with one only that one', async t => {
  const pin = new PinFile(newFile(), () => 0)
  t.false(pin.isSet)
  await pin.check('whatever')
  await pin.set('271828')
  t.true(pin.isSet)
  await pin.check('271828')
  await t.throwsAsync(pin.check('271829'), { code: 'PIN_WRONG' })
  await t.throwsAsync(pin.check(''), { code: 'PIN_WRONG' })
  await pin.set(null)
  t.false(pin.isSet)
})

test('the file does not hold it, and two of the same are not alike', async t => {
  const [one, two] = [newFile(), newFile()]
  await new PinFile(one, () => 0).set('271828')
  await new PinFile(two, () => 0).set('271828')
  t.notRegex(readFileSync(one, 'utf8'), /271828/)
  t.not(readFileSync(one, 'utf8'), readFileSync(two, 'utf8'))
})

test('from the third wrong one on each doubles the wait, over restarts, up to an hour', async t => {
  const file = newFile()
  let now = 1_000_000
  const again = () => new PinFile(file, () => now, cheap)
  await again().set('271828')
  await t.throwsAsync(again().check('000000'), { code: 'PIN_WRONG' })
  await t.throwsAsync(again().check('000000'), { code: 'PIN_WRONG' })
  await t.throwsAsync(again().check('000000'), { code: 'PIN_WRONG' })
  for (const seconds of [10, 20, 40, 80, 160]) {
    // The right one as well: nobody learns anything meanwhile.
    await t.throwsAsync(again().check('271828'), { code: 'PIN_WAIT' }, String(seconds))
    now += seconds * 1000 - 1
    await t.throwsAsync(again().check('271828'), { code: 'PIN_WAIT' }, String(seconds))
    now += 1
    await t.throwsAsync(again().check('000000'), { code: 'PIN_WRONG' })
  }
  for (let i = 0; i < 10; i++) {
    now += 3_600_000
    await t.throwsAsync(again().check('000000'), { code: 'PIN_WRONG' })
  }
  now += 3_600_000
  await again().check('271828')
  await t.throwsAsync(again().check('000000'), { code: 'PIN_WRONG' })
  await again().check('271828')
})

test('a clock that was set back makes nobody wait longer than the tries do', async t => {
  const file = newFile()
  await new PinFile(file, () => 4_000_000_000_000).set('271828')
  for (let i = 0; i < 3; i++)
    await t.throwsAsync(new PinFile(file, () => 4_000_000_000_000).check('0'), { code: 'PIN_WRONG' })
  const error = await t.throwsAsync(new PinFile(file, () => 1_000).check('271828'), { code: 'PIN_WAIT' })
  t.regex(error!.message, /10 seconds/)
})

test('a file that cannot be read keeps everybody out, and another PIN may be set', async t => {
  for (const damaged of [
    '',
    '{',
    '{"letro":1}',
    '[]',
    '{"salt":"AA==","hash":"AA==","wrong":0,"wait_until_ts":0}',
  ]) {
    const file = newFile()
    const pin = new PinFile(file, () => 0, cheap)
    await pin.set('271828')
    writeFileSync(file, damaged)
    t.true(pin.isSet)
    await t.throwsAsync(pin.check('271828'), { code: 'PIN_DAMAGED' }, damaged)
    await pin.set('314159')
    await pin.check('314159')
  }
})

test('fewer than six digits, or none, are no PIN', async t => {
  for (const weak of ['12345', 'abcdef', '', '12 456'])
    await t.throwsAsync(new PinFile(newFile(), () => 0).set(weak), { code: 'PIN_WEAK' }, weak)
})

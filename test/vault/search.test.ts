/** Search: what is found, in which order, by which spelling; what is gone is gone; a damaged segment takes no other. */
import 'fake-indexeddb/auto'
import test from 'ava'
import fc from 'fast-check'
import { MemoryRecords } from '../../pwa/vault/memory-records.ts'
import { type Message, SearchIndex } from '../../pwa/vault/search-index.ts'
import { decodeSegment, encodeSegment, makeSegment } from '../../pwa/vault/search-segment.ts'
import { indexWords, normaliseText, queryWords } from '../../pwa/vault/search-words.ts'
import { Vault } from '../../pwa/vault/vault.ts'

const spellings: [written: string, typed: string][] = [
  ['Übergabe um Mittag', 'ubergabe MITTAG'],
  ['the café is closed', 'cafe clos'],
  ['cafe\u0301', 'caf\u00e9'],
  ['Straße', 'strasse'],
  ['ﬁle №5', 'file no5'],
  ['السَّلامُ عَلَيْكُم', 'السلام'],
  ['مـــرحبا', 'مرحبا'],
  ['أحمد وإبراهيم وآمال', 'احمد'],
  ['أحمد', 'ٱحمد'],
  ['مستشفى', 'مستشفي'],
  ['مدرسة', 'مدرسه'],
  ['الكتاب الجديد', 'كتاب جديد'],
  ['والمريض', 'مريض'],
  ['غرفة ١٢٣', 'غرفه 123'],
  ['room 123', '۱۲۳'],
  ['ward\u200f-\u200e7', 'ward 7'],
  ['İstanbul ışık', 'istanbul isik'],
  ['Ελλάδα', 'ελλαδα'],
  ['ﷺ', 'صلي'],
]
const different: [written: string, typed: string][] = [
  ['noon', 'noons'],
  ['meet at noon', 'meet late'],
  ['afternoon', 'noon'],
  ['कि', 'का'],
  ['الكتاب', 'لكتاب'],
]

test('a word is found in any of its spellings', async t => {
  for (const [written, typed] of spellings) t.is(await hits(written, typed), 1, `${written} by ${typed}`)
  for (const [written, typed] of different) t.is(await hits(written, typed), 0, `${written} by ${typed}`)
})

test('what has no words finds nothing', async t => {
  for (const typed of ['', '  ', '!?', '\u0640', '👍']) t.is(await hits('meet at noon', typed), 0)
})

test('normalising is done once and for all', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      t.is(normaliseText(normaliseText(text)), normaliseText(text))
      for (const each of queryWords(text)) t.true(indexWords(text).has(each))
    }),
  )
})

test('the newest come first, in the room that was asked for, and no more than were asked for', async t => {
  const index = await SearchIndex.open(new MemoryRecords())
  await index.add([message(1, 'noon'), message(3, 'noon'), message(2, 'noon', '!other')])
  await index.add([message(5, 'noon', '!other'), message(4, 'noon')])
  const found = (options = {}) => index.search('noon', options).map(({ timestamp }) => timestamp)
  t.deepEqual(found(), [5, 4, 3, 2, 1])
  t.deepEqual(found({ limit: 2 }), [5, 4])
  t.deepEqual(found({ roomId: '!other' }), [5, 2])
  t.deepEqual(found({ roomId: '!none' }), [])
})

test('the index agrees with looking at every message', async t => {
  const words = ['noon', 'noble', 'no', 'meet', 'met', 'كتاب', 'الكتاب', 'room', 'x']
  const text = fc.array(fc.constantFrom(...words), { maxLength: 5 }).map(list => list.join(' '))
  const typed = fc.array(fc.constantFrom('no', 'noo', 'm', 'met', 'كت', 'ال', 'room'), {
    minLength: 1,
    maxLength: 3,
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 30 }),
      typed,
      async (adds, typed) => {
        const records = new MemoryRecords()
        const index = await SearchIndex.open(records)
        const all: Message[] = []
        for (const texts of adds) {
          const added = texts.map(each => message(all.length + Math.random(), each))
          all.push(...added)
          await index.add(added)
        }
        const expected = all.filter(each =>
          typed.every(prefix =>
            indexWords(each.text)
              .values()
              .some(word => word.startsWith(prefix)),
          ),
        )
        const ids = expected.toSorted((a, b) => b.timestamp - a.timestamp).map(({ eventId }) => eventId)
        for (const opened of [index, await SearchIndex.open(records)]) {
          const found = opened.search(typed.join(' '), { limit: 1000 })
          t.deepEqual(
            found.map(({ eventId }) => eventId),
            ids,
          )
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('many small additions make few segments', async t => {
  const records = new MemoryRecords()
  const index = await SearchIndex.open(records)
  for (let i = 0; i < 300; i++) await index.add([message(i, `word${i} all`)])
  const manifest = (await records.get('search', 'manifest')) as { segments: string[] }
  t.true(manifest.segments.length < 24)
  t.is(index.size, 300)
  t.is(index.search('all', { limit: 1000 }).length, 300)
  t.is(index.search('word299').length, 1)
})

test('a redacted message and an edited text leave nothing behind', async t => {
  const options = { name: 'search', warn: () => {} }
  const passphrase = { kind: 'passphrase', passphrase: 'correct horse' } as const
  const vault = await Vault.create(options, [passphrase])
  const index = await SearchIndex.open(vault.records)
  const [first, second, third] = [message(1, 'noon secret'), message(2, 'noon'), message(3, 'noon', '!left')]
  await index.add([first!, second!, third!])
  await index.replace([{ ...second!, text: 'midnight' }])
  t.is(index.search('noon').length, 2)
  t.is(index.search('midnight').length, 1)
  await index.remove((roomId, eventId) => roomId === '!left' || eventId === first!.eventId)
  for (const opened of [index, await SearchIndex.open(vault.records)]) {
    t.deepEqual(opened.search('noon'), [])
    t.deepEqual(opened.search('secret'), [])
    t.is(opened.size, 1)
  }
  const { segments } = (await vault.records.get('search', 'manifest')) as { segments: string[] }
  t.is(segments.length, 1)
  t.is(
    await vault.records.getBytes('search', 'segment 0'),
    undefined,
    'the old segment is gone from the disk',
  )
})

test('a message that was indexed twice is found once', async t => {
  const index = await SearchIndex.open(new MemoryRecords())
  await index.add([message(1, 'noon')])
  await index.add([message(1, 'noon')])
  t.is(index.search('noon').length, 1)
})

test('where a segment is broken the rest is searched, and the index says so', async t => {
  const records = new MemoryRecords()
  const index = await SearchIndex.open(records)
  await index.add([message(1, 'noon')])
  await index.add([message(2, 'noon')])
  t.false((await SearchIndex.open(records)).incomplete)
  await records.commit([{ collection: 'search', id: 'segment 0', value: new Uint8Array(40) }])
  const opened = await SearchIndex.open(records)
  t.true(opened.incomplete)
  t.deepEqual(
    opened.search('noon').map(({ timestamp }) => timestamp),
    [2],
  )
})

test('bytes that are no segment are refused', t => {
  const bytes = encodeSegment(
    makeSegment([{ roomId: '!a', eventId: '$b', timestamp: 1, words: ['x', 'yz'] }]),
  )
  t.deepEqual(decodeSegment(bytes).words, ['x', 'yz'])
  for (let length = 0; length < bytes.length; length++)
    t.throws(() => decodeSegment(bytes.slice(0, length)), { code: 'SEGMENT_BROKEN' })
  for (let i = 0; i < 32; i++) {
    const changed = bytes.slice()
    changed[i]! ^= 0xff
    t.throws(() => decodeSegment(changed), { code: 'SEGMENT_BROKEN' }, `byte ${i}`)
  }
})

test('an addition that could not be stored changes nothing', async t => {
  const records = new MemoryRecords()
  const index = await SearchIndex.open(records)
  await index.add([message(1, 'noon')])
  const commit = records.commit.bind(records)
  records.commit = () => Promise.reject(new Error('full'))
  await t.throwsAsync(index.add([message(2, 'noon')]))
  t.is(index.search('noon').length, 1)
  records.commit = commit
  await index.add([message(3, 'noon')])
  t.is(index.search('noon').length, 2)
})

test('messages and their words are one commit, and what was lost is said until it was made again', async t => {
  const records = new MemoryRecords()
  const index = await SearchIndex.open(records)
  t.true(index.isNew)
  const write = (body: string) => ({ collection: 'timeline', id: body, value: { body } })
  await index.commit({ add: [message(1, 'first')] }, [write('first')])
  const commit = records.commit.bind(records)
  records.commit = () => Promise.reject(new Error('killed'))
  await t.throwsAsync(index.commit({ add: [message(2, 'second')] }, [write('second')]))
  records.commit = commit
  t.deepEqual([index.search('second'), await records.get('timeline', 'second')], [[], undefined])
  await index.commit({}, [write('third')])
  t.truthy(await records.get('timeline', 'third'))

  await index.commit({ replace: [message(1, 'changed')], isGone: (_, eventId) => eventId === '$0' })
  const [segment] = (await records.get('search', 'manifest'))!['segments'] as string[]
  await records.commit([{ collection: 'search', id: segment!, value: null }])
  const broken = await SearchIndex.open(records)
  t.deepEqual([broken.incomplete, broken.isNew], [true, false])
  await broken.commit({ add: [message(3, 'later')] })
  t.true((await SearchIndex.open(records)).incomplete)
  await broken.setIncomplete(false)
  t.false((await SearchIndex.open(records)).incomplete)
})

let made = 0

function message(timestamp: number, text: string, roomId = '!ward'): Message {
  return {
    roomId,
    eventId: `$${timestamp}-${timestamp === Math.floor(timestamp) ? '' : made++}`,
    timestamp,
    text,
  }
}

async function hits(written: string, typed: string): Promise<number> {
  const index = await SearchIndex.open(new MemoryRecords())
  await index.add([message(1, written)])
  return index.search(typed).length
}

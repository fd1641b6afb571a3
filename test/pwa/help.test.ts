import test from 'ava'
import { type Block, helpPages } from '../../pwa/i18n/help.ts'
import { loadHelp } from '../../pwa/views/help/help-texts.ts'

const shapeOf = (block: Block) => {
  if (typeof block === 'string') return 'paragraph'
  const [kind, content] = Object.entries(block)[0]!
  return Array.isArray(content) ? `${kind} ${content.length}` : kind
}

test('every article is there in all languages, told in the same steps', async t => {
  const english = await loadHelp('en')
  for (const language of ['ar', 'de', 'fr'] as const) {
    const { articles } = await loadHelp(language)
    t.deepEqual(Object.keys(articles), [...helpPages])
    for (const page of helpPages) {
      t.deepEqual(
        articles[page].blocks.map(shapeOf),
        english.articles[page].blocks.map(shapeOf),
        `${language} ${page}`,
      )
      t.not(articles[page].title, english.articles[page].title)
    }
  }
})

test('the shortcuts are the same in every language', async t => {
  const keysOf = async (language: 'en' | 'ar' | 'de' | 'fr') =>
    (await loadHelp(language)).articles.shortcuts.blocks.flatMap(block =>
      typeof block === 'object' && 'keys' in block ? block.keys.map(([keys]) => keys) : [],
    )
  const english = await keysOf('en')
  t.true(english.length > 5)
  for (const language of ['ar', 'de', 'fr'] as const) t.deepEqual(await keysOf(language), english)
})

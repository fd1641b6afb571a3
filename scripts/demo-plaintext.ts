/**
 * `npm run demo:plaintext`: lets the five people of the demonstration write their history, stops the server, and
 * searches everything that it kept for what they wrote.
 */
import { DemoServer } from './demo/demo-server.ts'
import { sentTexts } from './demo/history.ts'
import { historyMs, liveThrough } from './demo/live.ts'
import { wordsInTheOpen } from './demo/organisation.ts'
import { searchData, wordsOf } from './demo/plaintext.ts'

const port = 8019
const nowTs = Date.now()
const server = await DemoServer.start(port, nowTs - historyMs)
try {
  console.log('Five people write their history.')
  const devices = await liveThrough(server, nowTs, () => {})
  for (const device of devices.values()) await device.calls.lock(null)
  await server.stop()

  const inTheOpen = wordsInTheOpen()
  const hidden = wordsOf(sentTexts(), inTheOpen)
  const { found, files, rows, bytes } = await searchData(server.dataFolder, [...inTheOpen, ...hidden])

  console.log(
    `\nSearched: ${files} files and ${rows} rows of the store, ${Math.round(bytes / 1024).toLocaleString('en')} KiB.`,
  )
  const open = inTheOpen.filter(word => found.has(word))
  console.log(
    `In the open, as encrypted rooms leave it: ${open.length} of ${inTheOpen.length} names of rooms, topics, people and devices.`,
  )
  const leaked = hidden.filter(word => found.has(word))
  console.log(`What was written: ${leaked.length} of ${hidden.length} texts and words.`)
  for (const word of leaked) console.log(`  FOUND  ${word}  in ${found.get(word)}`)
  if (open.length === 0) console.log('The search found nothing that must be there: it proves nothing.')
  process.exitCode = leaked.length === 0 && open.length > 0 ? 0 : 1
} finally {
  await server.remove()
}
process.exit()

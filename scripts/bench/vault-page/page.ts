/** What the vault's benches call in a browser. Every figure is taken in the page, which is what a person waits for. */
import { AccountClient } from '../../../pwa/worker/account-client.ts'
import type { Measured } from '../vault.ts'
import type { Work } from './decrypting-worker.ts'
import decryptingWorker from './decrypting-worker.ts?worker&url'

let client: AccountClient
let opened: string
const longTasks: number[] = []
new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) longTasks.push(duration)
}).observe({ entryTypes: ['longtask'] as never })

const measured: Measured = {
  async open(account) {
    opened = account
    client = new AccountClient(account, { onNotice: () => {} })
    const { vault } = await client.call('state', null)
    if (vault === 'none') await client.call('create', [passkey()])
    else await client.call('unlock', passkey())
  },

  async restore(backup) {
    await client.call('restore', { file: new Blob([Uint8Array.fromBase64(backup)]), opener: passkey() })
  },

  /** Milliseconds from the passkey's secret to an open vault, of a worker that is running and of one that is not. */
  async unlock() {
    await client.call('lock', null)
    const begun = performance.now()
    await client.call('unlock', passkey())
    return performance.now() - begun
  },
  /** As `unlock`, with the worker's start and libsodium's: in a page that was just loaded. */
  async coldUnlock(account) {
    const begun = performance.now()
    client = new AccountClient(account, { onNotice: () => {} })
    await client.call('unlock', passkey())
    return performance.now() - begun
  },

  /** Seconds to decrypt all events and to have each in the vault, sealed; and the page's longest task meanwhile. */
  async decryptAndStore(rooms) {
    longTasks.length = 0
    await client.call('lock', null)
    const worker = new Worker(decryptingWorker, { type: 'module' })
    const done = Promise.withResolvers<{ seconds: number; failed: number }>()
    worker.onmessage = ({ data }) => done.resolve(data)
    worker.onerror = event => done.reject(new Error(event.message))
    worker.postMessage({ account: opened, opener: passkey(), rooms } satisfies Work)
    const result = await done.promise
    worker.terminate()
    await client.call('unlock', passkey())
    return { ...result, longestTask: Math.max(0, ...longTasks) }
  },

  /** Milliseconds a query: of the median, and of the slowest. And what it took to index. */
  async search(messages) {
    const words = vocabulary()
    const list = Array.from({ length: messages }, (_, i) => ({
      roomId: `!room${i % 40}:clinic.example`,
      eventId: `$${(i * 2_654_435_761).toString(36).padEnd(43, 'x')}`,
      timestamp: 1_700_000_000_000 + i * 1000,
      text: Array.from({ length: 4 + (i % 12) }, (_, j) => words[zipf(i * 31 + j, words.length)]).join(' '),
    }))
    await client.call('unindex', { roomIds: [...new Set(list.map(({ roomId }) => roomId))] })
    const begun = performance.now()
    for (let i = 0; i < list.length; i += 5000) await client.call('index', list.slice(i, i + 5000))
    const indexed = performance.now() - begun
    const queries = [
      words[3],
      words[40]!.slice(0, 3),
      `${words[5]} ${words[9]}`,
      'al',
      'مري',
      `${words[2]} مر`,
      'a',
    ]
    const times: number[] = []
    for (let round = 0; round < 20; round++) {
      for (const text of queries) {
        const asked = performance.now()
        await client.call('search', { text: text! })
        times.push(performance.now() - asked)
      }
    }
    times.sort((a, b) => a - b)
    return { median: times[times.length >> 1]!, slowest: times.at(-1)!, indexed }
  },
}
;(globalThis as { measured?: Measured }).measured = measured

/** The same each time, and new bytes: those that were handed over are gone. */
function passkey() {
  return { kind: 'passkey', credentialId: 'bench', prfOutput: new Uint8Array(32).fill(7) } as const
}

/** Ten thousand words that nobody wrote, a third of them Arabic. */
function vocabulary(): string[] {
  const latin = [
    'al',
    'be',
    'ca',
    'do',
    'er',
    'fi',
    'ga',
    'ho',
    'in',
    'ka',
    'lo',
    'mi',
    'no',
    'or',
    'pa',
    're',
  ]
  const arabic = [
    'مر',
    'يض',
    'كت',
    'اب',
    'سل',
    'ام',
    'طب',
    'يب',
    'غر',
    'فة',
    'عم',
    'لي',
    'ات',
    'صب',
    'اح',
    'نو',
  ]
  return Array.from({ length: 10_000 }, (_, i) => {
    const syllables = i % 3 === 0 ? arabic : latin
    const at = (n: number) => syllables[(i >> n) % 16]!
    return at(0) + at(4) + at(8) + (i % 2 ? at(2) : '')
  })
}

/** Few words are frequent, most are rare. */
function zipf(seed: number, size: number): number {
  const random = ((Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 0) % 100_000) / 100_000
  return Math.floor(size ** random) - 1
}

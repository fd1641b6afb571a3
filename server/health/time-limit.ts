/** What is asked of the machine may never answer (a dead disk, a hung program): nobody waits for it longer than this. */
export class TooSlow extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`)
    this.name = 'TooSlow'
  }
}

/** Rejects with TooSlow. The work itself goes on: whoever starts programs ends them as well. */
export function withinTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new TooSlow(limitMs)), limitMs)
  work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}

/** A binary heap: the smallest entry comes out first. */
export class PriorityQueue<T> {
  readonly #entries: T[] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  push(entry: T): void {
    const heap = this.#entries
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#compare(heap[parent]!, entry) <= 0) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  pop(): T | undefined {
    const heap = this.#entries
    const smallest = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return smallest
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#compare(heap[child + 1]!, heap[child]!) < 0) child++
      if (this.#compare(last, heap[child]!) <= 0) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return smallest
  }
}

/** What was said in a machine, out of its memory: a released image shows it nowhere, and one that hangs cannot be asked. */
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import type { Qmp } from './qmp.ts'

const piece = 16 * 1024 * 1024
/** So much of the kernel's ring of messages follows its first line. */
const ringBytes = 256 * 1024
const ringBegins = 'Linux version '
const printable = /[\x20-\x7e]{6,}/g
/** A line of the journal, as the journal has it in memory. */
const journalLine = /MESSAGE=([\x20-\x7e]{1,400})/g

/** Where its processors are, the journal's lines, and what is printable behind the kernel's first line. */
export async function saidIn(qmp: Qmp, memoryMiB: number, file: string): Promise<string> {
  const registers = await qmp.monitor('info registers -a')
  await qmp.monitor('stop')
  await qmp.monitor(`pmemsave 0 ${memoryMiB * 1024 * 1024} "${file}"`)
  try {
    const { journal, rings } = read(file)
    return [registers, ...journal, ...rings].join('\n')
  } finally {
    rmSync(file, { force: true })
  }
}

function read(file: string): { journal: ReadonlySet<string>; rings: ReadonlySet<string> } {
  const memory = openSync(file, 'r')
  const bytes = Buffer.alloc(piece + ringBytes)
  const journal = new Set<string>()
  const rings = new Set<string>()
  for (let at = 0; ; at += piece) {
    const length = readSync(memory, bytes, 0, bytes.length, at)
    if (length === 0) break
    const text = bytes.subarray(0, length).toString('latin1')
    for (const [, words] of text.matchAll(journalLine)) journal.add(words!)
    for (let ring = text.indexOf(ringBegins); ring !== -1 && ring < piece; ) {
      rings.add((text.slice(ring, ring + ringBytes).match(printable) ?? []).join('\n'))
      ring = text.indexOf(ringBegins, ring + ringBytes)
    }
  }
  closeSync(memory)
  return { journal, rings }
}

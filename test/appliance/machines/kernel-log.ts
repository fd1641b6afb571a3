/** What a machine's kernel said, out of its memory: a released image shows it nowhere, and a machine that hangs cannot be asked. */
import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import type { Qmp } from './qmp.ts'

const piece = 16 * 1024 * 1024
/** So much of the log follows its first line. */
const logBytes = 256 * 1024
const firstLine = 'Linux version '
const printable = /[\x20-\x7e]{6,}/g

/** Where its processors are, and each line that is printable behind the kernel's first one. */
export async function kernelLog(qmp: Qmp, memoryMiB: number, file: string): Promise<string> {
  const registers = await qmp.monitor('info registers -a')
  await qmp.monitor('stop')
  await qmp.monitor(`pmemsave 0 ${memoryMiB * 1024 * 1024} "${file}"`)
  try {
    return [registers, ...logsIn(file)].join('\n\n')
  } finally {
    rmSync(file, { force: true })
  }
}

/** The ring of messages, and copies of its first line elsewhere. */
function logsIn(file: string): string[] {
  const memory = openSync(file, 'r')
  const logs: string[] = []
  const bytes = Buffer.alloc(piece + logBytes)
  for (let at = 0; at < statSync(file).size; at += piece) {
    const text = bytes.subarray(0, readSync(memory, bytes, 0, bytes.length, at)).toString('latin1')
    for (
      let found = text.indexOf(firstLine);
      found !== -1 && found < piece;
      found = text.indexOf(firstLine, found + logBytes)
    )
      logs.push((text.slice(found, found + logBytes).match(printable) ?? []).join('\n'))
  }
  closeSync(memory)
  return logs
}

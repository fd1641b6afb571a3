/** Runs a program for its output, and ends it with everything that it started when it takes too long. */
import { spawn } from 'node:child_process'
import { childStdio } from '../store/child-stdio.ts'

const mostBytes = 256 * 1024

/** Its standard output; null where there is no such program, it failed, wrote too much, or took too long. */
export function outputOf(program: string, args: readonly string[], limitMs: number): Promise<string | null> {
  return new Promise(resolve => {
    // A group of its own, so that its children can be ended with it.
    const child = spawn(program, args, {
      detached: true,
      stdio: childStdio('ignore', 'pipe', 'ignore'),
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
    })
    const chunks: Buffer[] = []
    let size = 0
    const end = (output: string | null) => {
      clearTimeout(timer)
      if (output === null) killGroup(child.pid)
      resolve(output)
    }
    const timer = setTimeout(() => end(null), limitMs)
    child.unref()
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > mostBytes) end(null)
      else chunks.push(chunk)
    })
    child.on('error', () => end(null))
    child.on('close', code => end(code === 0 ? Buffer.concat(chunks).toString('utf8') : null))
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

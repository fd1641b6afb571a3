/**
 * A TPM 2.0 in software. Its folder is the chip: another folder is another chip. A new one measures with SHA-256 alone, as the
 * TPMs of common hypervisors do: firmware that is emulated takes minutes to hash a kernel image in four ways.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tools } from './tools.ts'

/** Spec: TPM 2.0 Library, Part 3. Banks by algorithm: SHA-1, SHA-256, SHA-384, SHA-512. */
const allocateBanks = command(
  0x8002,
  0x12b,
  // The platform, without a password.
  ...['4000000c', '00000009', '40000009', '0000', '00', '0000'],
  ...['00000004', '000403000000', '000b03ffffff', '000c03000000', '000d03000000'],
)
const shutDown = command(0x8001, 0x145, '0000')

export class Tpm {
  readonly socket: string
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  static async start(tools: Tools, state: string, folder: string): Promise<Tpm> {
    const isNew = !existsSync(state)
    mkdirSync(state, { recursive: true })
    if (isNew) await makeChip(tools, state, folder)
    const socket = join(folder, 'tpm.sock')
    return new Tpm(tools, state, folder, ['--ctrl', `type=unixio,path=${socket}`], socket).#ready()
  }

  private constructor(tools: Tools, state: string, folder: string, how: readonly string[], socket: string) {
    this.socket = socket
    rmSync(socket, { force: true })
    const args = ['socket', '--tpm2', '--tpmstate', `dir=${state}`, ...how, '--terminate']
    this.#child = tools.start('swtpm', args, join(folder, 'swtpm.log'))
    this.#ended = new Promise(resolve => this.#child.once('close', () => resolve()))
  }

  /** With its commands on the socket instead of a machine. */
  static async bare(tools: Tools, state: string, folder: string): Promise<Tpm> {
    const socket = join(folder, 'chip.sock')
    const how = ['--server', `type=unixio,path=${socket}`, '--flags', 'not-need-init,startup-clear']
    return new Tpm(tools, state, folder, how, socket).#ready()
  }

  async #ready(): Promise<this> {
    while (!existsSync(this.socket)) {
      if (this.#child.exitCode !== null) throw new Error('swtpm did not start: see swtpm.log')
      await sleep(20)
    }
    return this
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

async function makeChip(tools: Tools, state: string, folder: string): Promise<void> {
  const tpm = await Tpm.bare(tools, state, folder)
  const line = createConnection(tpm.socket)
  try {
    await once(line, 'connect')
    for (const bytes of [allocateBanks, shutDown]) {
      line.write(bytes)
      const [answer] = (await once(line, 'data')) as [Buffer]
      const code = answer.readUInt32BE(6)
      if (code !== 0) throw new Error(`a new TPM answers ${code.toString(16)}`)
    }
  } finally {
    line.destroy()
    await tpm.stop()
  }
}

function command(tag: number, code: number, ...hex: readonly string[]): Buffer {
  const rest = Buffer.from(hex.join(''), 'hex')
  const head = Buffer.alloc(10)
  head.writeUInt16BE(tag)
  head.writeUInt32BE(10 + rest.length, 2)
  head.writeUInt32BE(code, 6)
  return Buffer.concat([head, rest])
}

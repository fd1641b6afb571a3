/** A TPM 2.0 in software. Its folder is the chip: another folder is another chip. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tools } from './tools.ts'

export class Tpm {
  readonly socket: string
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  static async start(tools: Tools, state: string, folder: string): Promise<Tpm> {
    mkdirSync(state, { recursive: true })
    const tpm = new Tpm(tools, state, folder)
    while (!existsSync(tpm.socket)) {
      if (tpm.#child.exitCode !== null) throw new Error('swtpm did not start: see swtpm.log')
      await sleep(20)
    }
    return tpm
  }

  private constructor(tools: Tools, state: string, folder: string) {
    this.socket = join(folder, 'tpm.sock')
    const args = [
      'socket',
      '--tpm2',
      '--tpmstate',
      `dir=${state}`,
      '--ctrl',
      `type=unixio,path=${this.socket}`,
    ]
    this.#child = tools.start('swtpm', [...args, '--terminate'], join(folder, 'swtpm.log'))
    this.#ended = new Promise(resolve => this.#child.once('close', () => resolve()))
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

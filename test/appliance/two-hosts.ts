/**
 * Two machines in network namespaces of this one, with a cable between them: `appliance` has the rules under test, `outside` is
 * the rest of the world. Real nft, real sockets. Needs root, nft and iproute2.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface Probe {
  readonly by: 'tcp' | 'udp'
  /** Its own address. */
  readonly from?: string
  readonly to: string
  readonly port: number
  /** The port that it sends from. */
  readonly sourcePort?: number
}

/** Without node_modules/.bin: a package there has a program `nft` as well. */
const system = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
const program = join(import.meta.dirname, 'two-hosts-program.ts')

export function missingForTwoHosts(): string | null {
  if (process.getuid?.() !== 0) return 'it needs root'
  const missing = ['nft', 'ip', 'setpriv'].find(tool => !isThere(tool))
  if (missing !== undefined) return `${missing} is missing`
  const { status, stderr } = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset'], {
    encoding: 'utf8',
    env: system,
  })
  return status === 0 ? null : `this kernel has no nftables in a namespace: ${stderr}`
}

function isThere(tool: string): boolean {
  return system.PATH.split(':').some(folder => existsSync(join(folder, tool)))
}

export class TwoHosts {
  readonly #names: Record<'appliance' | 'outside', string>
  readonly #listeners: { kill(): void }[] = []

  constructor() {
    const id = `${process.pid}-${Math.random().toString(36).slice(2, 6)}`
    this.#names = { appliance: `letro-a-${id}`, outside: `letro-o-${id}` }
    const { appliance, outside } = this.#names
    ip('netns', 'add', appliance)
    ip('netns', 'add', outside)
    ip('-n', appliance, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside)
    for (const name of [appliance, outside]) {
      ip('-n', name, 'link', 'set', 'lo', 'up')
      ip('-n', name, 'link', 'set', 'eth0', 'up')
    }
  }

  address(host: 'appliance' | 'outside', ...addresses: readonly string[]): void {
    for (const address of addresses) {
      const extra = address.includes(':') ? ['nodad'] : []
      ip('-n', this.#names[host], 'address', 'add', address, 'dev', 'eth0', ...extra)
    }
  }

  /** Returns what nft said, or null. */
  load(rules: string): string | null {
    try {
      execFileSync('ip', ['netns', 'exec', this.#names.appliance, 'nft', '-f', '-'], {
        env: system,
        input: rules,
        stdio: 'pipe',
      })
      return null
    } catch (error) {
      return String((error as { stderr?: Buffer }).stderr)
    }
  }

  /** TCP is accepted and UDP is echoed at these ports of all its addresses. */
  async listen(host: 'appliance' | 'outside', ports: readonly number[]): Promise<void> {
    const listener = spawn(
      'ip',
      ['netns', 'exec', this.#names[host], process.execPath, program, 'listen', JSON.stringify(ports)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    this.#listeners.push({ kill: () => void listener.stdin.end() })
    await once(listener.stdout, 'data')
  }

  /** Which of them get through, as that user. */
  async reach(host: 'appliance' | 'outside', probes: readonly Probe[], user = 0): Promise<boolean[]> {
    const child = spawn(
      'ip',
      [
        'netns',
        'exec',
        this.#names[host],
        'setpriv',
        `--reuid=${user}`,
        '--clear-groups',
        '--inh-caps=-all',
        process.execPath,
        program,
        'reach',
        JSON.stringify(probes),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let text = ''
    child.stdout.on('data', part => {
      text += part
    })
    await once(child, 'close')
    return JSON.parse(text) as boolean[]
  }

  /** null: there is no ping on this machine. */
  ping(host: 'appliance' | 'outside', to: string): boolean | null {
    if (!isThere('ping')) return null
    try {
      execFileSync('ip', ['netns', 'exec', this.#names[host], 'ping', '-c2', '-W2', to], {
        env: system,
        stdio: 'ignore',
      })
      return true
    } catch {
      return false
    }
  }

  remove(): void {
    for (const listener of this.#listeners) listener.kill()
    for (const name of Object.values(this.#names)) ip('netns', 'delete', name)
  }
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/**
 * The console's PIN, as settings/pin.json keeps it: a scrypt hash, and how often it was wrong.
 *
 * A wrong try is on the disk before it is known to be wrong, so that pulling the plug buys no tries. From the third on, each
 * wrong one doubles the wait, up to an hour. A file that cannot be read counts as a PIN that nobody knows: the recovery
 * key of the disk sets another one.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { isObject } from '#protocol/json.ts'
import { writeWhole } from '../whole-file.ts'
import { MachineRefused } from './machine.ts'

interface Stored {
  readonly salt: Buffer
  readonly hash: Buffer
  /** In a row. */
  readonly wrong: number
  readonly waitUntilTs: number
}

/** scrypt's N (RFC 7914): with r 8, 32 MB and about 0.1 s a try. */
const usualCost = 2 ** 15
const hashBytes = 32
const freeTries = 3
const longestWaitMs = 60 * 60_000

export class PinFile {
  readonly #file: string
  readonly #clock: () => number
  readonly #cost: number
  constructor(file: string, clock: () => number, cost = usualCost) {
    this.#file = file
    this.#clock = clock
    this.#cost = cost
  }

  get isSet(): boolean {
    return existsSync(this.#file)
  }

  /** Throws PIN_WRONG, PIN_WAIT, PIN_DAMAGED. Without a PIN everything is right. */
  async check(pin: string): Promise<void> {
    if (!this.isSet) return
    const stored = this.#read()
    if (!stored)
      throw new MachineRefused(
        'PIN_DAMAGED',
        'The PIN cannot be read any more. Choose "The PIN is forgotten".',
      )
    // A clock that was moved makes nobody wait longer than the tries do.
    const wait = Math.min(stored.waitUntilTs - this.#clock(), waitMs(stored.wrong))
    if (wait > 0)
      throw new MachineRefused('PIN_WAIT', `It was wrong too often. Try again in ${spanWords(wait)}.`)
    const wrong = stored.wrong + 1
    this.#write({ ...stored, wrong, waitUntilTs: this.#clock() + waitMs(wrong) })
    if (!timingSafeEqual(await this.#hash(pin, stored.salt), stored.hash)) {
      const after = waitMs(wrong)
      throw new MachineRefused(
        'PIN_WRONG',
        `This is not the PIN.${after > 0 ? ` The next try is in ${spanWords(after)}.` : ''}`,
      )
    }
    this.#write({ ...stored, wrong: 0, waitUntilTs: 0 })
  }

  /** Durable when it resolves. null: none from now on. */
  async set(pin: string | null): Promise<void> {
    if (pin === null) return rmSync(this.#file, { force: true })
    if (!/^[0-9]{6,64}$/.test(pin)) throw new MachineRefused('PIN_WEAK', 'A PIN has at least six digits.')
    const salt = randomBytes(16)
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
    this.#write({ salt, hash: await this.#hash(pin, salt), wrong: 0, waitUntilTs: 0 })
  }

  #read(): Stored | null {
    try {
      const json: unknown = JSON.parse(readFileSync(this.#file, 'utf8'))
      if (!isObject(json)) return null
      const { salt, hash, wrong, wait_until_ts: waitUntilTs } = json
      if (typeof salt !== 'string' || typeof hash !== 'string') return null
      if (!Number.isSafeInteger(wrong) || !Number.isSafeInteger(waitUntilTs)) return null
      const stored = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
      if (stored.salt.length !== 16 || stored.hash.length !== hashBytes) return null
      return { ...stored, wrong: Math.max(0, wrong as number), waitUntilTs: waitUntilTs as number }
    } catch {
      return null
    }
  }

  #write({ salt, hash, wrong, waitUntilTs }: Stored): void {
    const json = {
      letro: 1,
      salt: salt.toString('base64'),
      hash: hash.toString('base64'),
      wrong,
      wait_until_ts: waitUntilTs,
    }
    writeWhole(this.#file, `${JSON.stringify(json)}\n`)
  }

  #hash(pin: string, salt: Buffer): Promise<Buffer> {
    const cost = { N: this.#cost, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
    return new Promise((fulfil, reject) => {
      scrypt(pin, salt, hashBytes, cost, (error, hash) => (error ? reject(error) : fulfil(hash)))
    })
  }
}

function waitMs(wrong: number): number {
  return wrong < freeTries ? 0 : Math.min(longestWaitMs, 10_000 * 2 ** Math.min(20, wrong - freeTries))
}

function spanWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
}

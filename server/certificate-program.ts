/**
 * Acts about the certificate in the data folder, for the administration API: each is done by a process of its own
 * (provisioning/certificate-program.ts), because nothing that issues certificates is loaded here. One at a time.
 */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { CertificateActs } from './admin-api/certificate.ts'
import type { Config } from './config.ts'
import { certificateFiles } from './own-certificate.ts'
import { isObject, type JsonObject } from './protocol/json.ts'
import { childStdio } from './store/child-stdio.ts'

/** Two new keys of 3072 bits on a slow machine. */
const longestMs = 60_000

export class CertificateRefused extends Error {
  readonly code = 'M_INVALID_PARAM'
  readonly fields: JsonObject
  constructor(message: string, fields: JsonObject) {
    super(message)
    this.name = 'CertificateRefused'
    this.fields = fields
  }
}

export interface CertificateProgram extends CertificateActs {
  /** Who brought in this certificate; undefined: nobody by these acts. */
  actorOf(fingerprint256: string): string | undefined
}

export function openCertificateProgram(config: Config, clock: () => number): CertificateProgram {
  const brought = new Map<string, string>()
  let last: Promise<unknown> = Promise.resolve()
  const run = (asked: JsonObject): Promise<JsonObject> => {
    const done = last.then(() => runOnce(resolve(config.server.data), clock(), asked))
    last = done.catch(() => {})
    return done
  }
  return {
    isKept: certificateFiles(config).own !== null,
    run,
    note: (actor, { fingerprint_sha256: fingerprint }) => {
      if (typeof fingerprint === 'string') brought.set(fingerprint, actor)
    },
    actorOf: fingerprint => brought.get(fingerprint),
  }
}

async function runOnce(data: string, now: number, asked: JsonObject): Promise<JsonObject> {
  const script = join(import.meta.dirname, '../provisioning/certificate-program.ts')
  const child = spawn(process.execPath, [script, data, String(now)], {
    stdio: childStdio('pipe', 'pipe', 'pipe'),
    timeout: longestMs,
  })
  // A child that dies at once must not take the server with it.
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify(asked))
  const ended = new Promise<number | null>((done, failed) => {
    child.on('close', done)
    child.on('error', failed)
  })
  const [out, , code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  const answer: unknown = code === 0 ? JSON.parse(out) : null
  if (!isObject(answer)) throw new Error('the program for certificates did not answer')
  const { refused, ...fields } = answer
  if (typeof refused !== 'string') return answer
  const { reason, complaints } = fields
  throw new CertificateRefused(refused, {
    ...(reason === undefined ? {} : { 'org.letro.reason': reason }),
    ...(complaints === undefined ? {} : { complaints }),
  })
}

/**
 * Passwords as Argon2id hashes in the PHC string format, which names its own parameters: they can be raised later
 * and old hashes still verify.
 *
 * RFC 9106. 19 MiB, two passes, one lane: what OWASP asks for; 0.1 s of one core, one at a time, beside the
 * server's own work.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'

const memoryKiB = 19 * 1024
const passes = 2
const lanes = 1
const tagBytes = 32

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const tag = await derive(password, salt, memoryKiB, passes, lanes, tagBytes)
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${encode(salt)}$${encode(tag)}`
}

// Bounds: a hash that came from elsewhere must not make us take gigabytes or hours.
const phc =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/
const maxMemoryKiB = 1024 * 1024

export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const [, m, t, p, salt, tag] = phc.exec(hash) ?? []
  if (salt === undefined || tag === undefined || Number(m) > maxMemoryKiB) throw new Error('not a PHC string')
  const expected = Buffer.from(tag, 'base64')
  const saltBytes = Buffer.from(salt, 'base64')
  const found = await derive(password, saltBytes, Number(m), Number(t), Number(p), expected.length)
  return timingSafeEqual(found, expected)
}

function derive(
  password: string,
  nonce: Buffer,
  memory: number,
  rounds: number,
  parallelism: number,
  tagLength: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      { message: password, nonce, memory, passes: rounds, parallelism, tagLength },
      (error, tag) => (error ? reject(error) : resolve(tag)),
    )
  })
}

/** PHC: base64 without padding. */
function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

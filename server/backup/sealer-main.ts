/**
 * The process that encrypts: standard input becomes an age file on standard output.
 *
 * A process of its own, because age's cipher is JavaScript and would take the event loop from everybody (about 90 MB/s
 * of it). The first line of the input says for whom: secrets never stand in arguments or the environment.
 */
import { once } from 'node:events'
import { Encrypter } from 'age-encryption'

interface ForWhom {
  readonly recipients?: readonly string[]
  readonly passphrase?: string
  /** Of scrypt; absent: age's own. */
  readonly workFactor?: number
}

const input = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>
const { line, rest } = await readLine()
const { recipients = [], passphrase, workFactor } = JSON.parse(line) as ForWhom
const encrypter = new Encrypter()
for (const recipient of recipients) encrypter.addRecipient(recipient)
if (passphrase !== undefined) {
  encrypter.setPassphrase(passphrase)
  if (workFactor !== undefined) encrypter.setScryptWorkFactor(workFactor)
}
const sealed = await encrypter.encrypt(ReadableStream.from(plain()) as ReadableStream<Uint8Array>)
for await (const piece of sealed as unknown as AsyncIterable<Uint8Array>) {
  if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
}

async function readLine(): Promise<{ line: string; rest: Buffer }> {
  let read: Buffer = Buffer.alloc(0)
  for (;;) {
    const end = read.indexOf(10)
    if (end >= 0) return { line: read.toString('utf8', 0, end), rest: read.subarray(end + 1) }
    const { done, value } = await input.next()
    if (done) throw new Error('nothing says for whom to encrypt')
    read = Buffer.concat([read, value])
  }
}

async function* plain(): AsyncGenerator<Uint8Array> {
  if (rest.length > 0) yield rest
  for (;;) {
    const { done, value } = await input.next()
    if (done) return
    yield value
  }
}

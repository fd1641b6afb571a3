/** Cards as files: handing out ours, reading that of another site. */
import { createHash, createPublicKey, verify as edVerify } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import qrcode from 'qrcode'
import { type Card, maxCardBytes, readCardText } from '#protocol/card.ts'
import { fingerprintWords } from '#protocol/fingerprint-words.ts'
import type { Verify } from '#protocol/primitives.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { cardText, wordsText } from './peer-text.ts'
import { connect, type ServerOptions } from './server-connection.ts'
import { printer, tell } from './terminal.ts'

/** What a QR code of the lowest level holds. */
const maxQrBytes = 2953

export interface CardOptions extends ServerOptions {
  readonly out?: string
  readonly qr?: string
}

export async function handOutCard(options: CardOptions): Promise<void> {
  const print = printer(options)
  const text = await ourCard(options)
  const card = readCard(text, 'Our own card')
  const out = options.out ?? `${card.serverName.replaceAll(/[^0-9A-Za-z.-]/g, '_')}.card.json`
  await writeText(out, `${text}\n`)
  print(cardText(card))
  if (Buffer.byteLength(text) <= maxQrBytes) {
    if (options.qr !== undefined) {
      await writeText(options.qr, await qrcode.toString(text, { type: 'svg', errorCorrectionLevel: 'L' }))
    }
    const type = process.stdout.isTTY ? 'terminal' : 'utf8'
    if (!options.json) print(await qrcode.toString(text, { type, small: true, errorCorrectionLevel: 'L' }))
  } else print('It is too long for a QR code: hand out the file.\n')
  print(`Written to ${out}. Nothing in it is secret. Give it to the administrators who shall pin this site,`)
  print('and when they call, read these words to them:\n')
  print(wordsText(wordsOf(card.rootKey)))
  if (card.tlsSpkiSha256.length === 0)
    print('No certificate stands in this card yet: others cannot connect to this site by it.')
  if (options.json) tell(options, { file: out, card: card.json, fingerprint: wordsOf(card.rootKey) }, '')
}

/** On the server's own machine it is a file: the server need not run. */
async function ourCard(options: CardOptions): Promise<string> {
  if (options.data === undefined)
    return JSON.stringify((await (await connect(options)).ask('GET', '/site-card'))['card'])
  const missing = `There is no card in ${options.data} yet. The server makes it at its first start, once it has a certificate.`
  return (await readText(join(options.data, 'keys', 'site-card.json'), missing)).trim()
}

export async function readCardFile(file: string): Promise<Card> {
  return readCard(await readText(file, `There is no file ${file}.`), file)
}

function readCard(text: string, file: string): Card {
  const reading = readCardText(text, verify)
  if (reading.kind === 'card') return reading.card
  throw new CommandFailed(`${file} is no card that can be used: ${reading.reason}.`, exitCodes.unsound)
}

export function wordsOf(publicKey: Uint8Array): readonly string[] {
  return fingerprintWords(publicKey, message => createHash('sha256').update(message).digest())
}

async function readText(file: string, missing: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8')
    return text.length > 2 * maxCardBytes ? text.slice(0, 2 * maxCardBytes) : text
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    throw new CommandFailed(
      code === 'ENOENT' ? missing : `${file} cannot be read (${code}).`,
      exitCodes.impossible,
    )
  }
}

async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    throw new CommandFailed(`${file} cannot be written (${code}).`, exitCodes.impossible)
  }
}

export const verify: Verify = (bytes, signature, publicKey) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const x = Buffer.from(publicKey).toString('base64url')
  return edVerify(
    null,
    bytes,
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    signature,
  )
}

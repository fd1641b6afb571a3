/** `letro certificate` for a running server over the network: the same acts by its administration API. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { JsonObject } from '#protocol/json.ts'
import {
  type CertificateOptions,
  cannotWrite,
  type Done,
  waitingText,
  writeText,
} from './certificate-acts.ts'
import { dayOf } from './certificate-chain.ts'
import { readWhole } from './certificate-import.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { passphraseFrom } from './passphrase.ts'
import type { ServerConnection } from './server-connection.ts'

export type FarAct = (
  server: ServerConnection,
  options: CertificateOptions,
  argument: string | undefined,
) => Promise<Done>

const show: FarAct = async (server, _options, file) => {
  if (file !== undefined)
    throw new CommandFailed(
      'What is in a file, this machine says: give --data, or openssl x509.',
      exitCodes.usage,
    )
  const { text, ...answer } = await server.ask('GET', '/certificate')
  if (answer['kept'] !== true)
    return {
      answer,
      text: 'The server does not keep its certificate itself: tls.certificate names files, or a proxy stands before it.',
    }
  const complaints = answer['complaints'] as readonly string[]
  return { answer, text: String(text), isUnsound: complaints.length > 0 }
}

const renew: FarAct = async (server, { newKey, now }) => {
  const answer = await server.ask('POST', '/certificate/renew', {
    ...flag('new_key', newKey),
    ...flag('now', now),
  })
  return { answer, text: stateText(answer) }
}

const request: FarAct = async (server, { newKey, organisation, country, out }) => {
  const { csr, ...answer } = await server.ask('POST', '/certificate/request', {
    ...flag('new_key', newKey),
    ...(organisation === undefined ? {} : { organisation }),
    ...(country === undefined ? {} : { country }),
  })
  const file = out ?? String(answer['file_name'])
  writeText(file, String(csr))
  return {
    answer: { ...answer, file: resolve(file) },
    text: `${file} asks for a certificate for ${(answer['names'] as string[]).join(', ')}.
Nothing in it is secret; the key stays on the server. Send it to your authority, and bring what comes back:
  letro certificate import FILE --server ${server.name}`,
  }
}

const bring: FarAct = async (server, options, file) => {
  const { key, now } = options
  const bytes = readWhole(file!)
  const keyPem = key === undefined ? undefined : readWhole(key).toString('latin1')
  const isPem = bytes.toString('latin1').includes('-----BEGIN ')
  const isLocked = /ENCRYPTED/.test(`${isPem ? bytes.toString('latin1') : ''}${keyPem ?? ''}`)
  const mayAsk =
    isLocked || !isPem || options.passphraseFile !== undefined || options.passphraseFd !== undefined
  const passphrase = mayAsk ? await passphraseFrom(options, `Passphrase of ${file}: `) : null
  const answer = await server.ask('POST', '/certificate/import', {
    file: bytes.toString('base64'),
    ...(keyPem === undefined ? {} : { key: keyPem }),
    ...(passphrase === null ? {} : { passphrase }),
    ...flag('now', now),
  })
  const remarks = answer['remarks'] as readonly string[]
  return { answer, text: [stateText(answer), ...remarks].join('\n') }
}

const mdm: FarAct = async (server, { out = 'letro-mdm' }) => {
  const { files } = await server.ask('GET', '/certificate/mdm')
  const list = files as unknown as readonly { readonly name: string; readonly content: string }[]
  if (list.length === 0)
    throw new CommandFailed('There is no private authority on the server.', exitCodes.unsound)
  try {
    mkdirSync(out, { recursive: true })
  } catch (error) {
    throw cannotWrite(out, error)
  }
  for (const { name, content } of list) writeText(join(out, plainName(name)), Buffer.from(content, 'base64'))
  return {
    answer: { folder: resolve(out), files: list.map(({ name }) => name) },
    text: `${list.map(({ name }) => join(out, name)).join('\n')}

Which system takes which file stands in ${join(out, 'README.txt')}.`,
  }
}

export const far = { show, renew, request, bring, mdm } as const

/** A name and no path: what a server says must not write elsewhere. */
function plainName(name: string): string {
  if (/^[0-9A-Za-z][0-9A-Za-z._-]*$/.test(name)) return name
  throw new CommandFailed(
    'The server named a file in a way that no Letro does. Nothing was written.',
    exitCodes.unsound,
  )
}

function stateText(answer: JsonObject): string {
  return answer['state'] === 'waiting'
    ? waitingText
    : `The server uses it within ten seconds. It is good until ${dayOf(Number(answer['not_after_ts']))}.`
}

function flag(name: string, value: boolean | undefined): Record<string, boolean> {
  return value ? { [name]: true } : {}
}

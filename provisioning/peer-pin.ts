/** `letro peer pin`: shows what is to be pinned, has the words compared, asks the server to pin it. */
import { readFile } from 'node:fs/promises'
import { key32 } from '#protocol/card.ts'
import type { JsonObject } from '#protocol/json.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { readCardFile, wordsOf } from './peer-card.ts'
import { changePeer, checkCard, peersOf, pin, rotateKeyOf } from './peer-server.ts'
import { cardText, type ShownPeer, wordsText } from './peer-text.ts'
import type { ServerConnection } from './server-connection.ts'
import { confirm, printer } from './terminal.ts'

export interface PinOptions {
  readonly homeserver?: string
  readonly key?: string
  readonly address?: string
  readonly spki?: readonly string[]
  readonly ca?: string
  readonly direction?: string
  readonly transport?: string
  readonly residency?: string
  readonly note?: string
  readonly yes?: boolean
  readonly json?: boolean
}

export async function pinCard(
  server: ServerConnection,
  file: string,
  options: PinOptions,
): Promise<ShownPeer> {
  const print = printer(options)
  const card = await readCardFile(file)
  const terms = await termsOf(options)
  const words = wordsOf(card.rootKey)
  print(cardText(card))
  const held = await checkCard(server, card.json)
  if (held?.serial !== undefined) {
    print(`${card.serverName} is pinned already, and the same root key signed this card: nothing to compare.`)
  } else await compare(card.serverName, words, options, 'They see theirs with: letro peer card')
  const pinned = await pin(server, { ...terms, card: card.json, fingerprint: words.join(' ') })
  if (held?.serial !== undefined) {
    print(
      held.serial === card.serial
        ? 'Its card is the one that is known.'
        : `Its card (serial ${held.serial}) was replaced by this one (serial ${card.serial}).`,
    )
    return pinned
  }
  print(`${card.serverName} is pinned.`)
  print('Its administrator must pin this site as well: give them the card of letro peer card.')
  print(`What happens between you: letro peer status ${card.serverName}`)
  return pinned
}

export async function pinHomeserver(server: ServerConnection, options: PinOptions): Promise<ShownPeer> {
  const print = printer(options)
  const { homeserver = '', key } = options
  const equals = key?.indexOf('=') ?? -1
  const publicKey = key32(key?.slice(equals + 1))
  if (key === undefined || equals < 0 || !publicKey) {
    throw new CommandFailed(
      '--key is the homeserver’s signing key, as in --key ed25519:a_Xy=Noi6WqcDj0QmPxCNQqgezwTlBKrfqehY1u2FyWP9uYw. Synapse has it at https://SERVER/_matrix/key/v2/server, under verify_keys.',
      exitCodes.usage,
    )
  }
  const terms = await termsOf(options)
  const held = (await peersOf(server)).find(peer => peer.server_name === homeserver)
  const words = wordsOf(publicKey)
  const fingerprint = words.join(' ')
  if (held) {
    print(`${homeserver} is pinned by another key, whose words are:\n`)
    print(wordsText(held.fingerprint))
    print('Its new key is:\n')
  } else print(`${homeserver}, signing key ${key.slice(0, equals)}\n`)
  print(`    ${key.slice(equals + 1).replaceAll(/(.{4})(?=.)/g, '$1 ')}\n`)
  await compare(
    homeserver,
    words,
    options,
    'Synapse knows no words: they read the key\nitself, from verify_keys of https://THEIR-SERVER/_matrix/key/v2/server.',
  )
  if (held) {
    const rotated = await rotateKeyOf(server, homeserver, key, fingerprint)
    const changed = Object.keys(terms).length > 0 ? await changePeer(server, homeserver, terms) : rotated
    print(`${homeserver} is pinned by its new key. The old one is good for what it signed until now.`)
    return changed
  }
  const pinned = await pin(server, { ...terms, homeserver, key, fingerprint })
  print(`${homeserver} is pinned. What happens between you: letro peer status ${homeserver}`)
  return pinned
}

async function compare(
  name: string,
  words: readonly string[],
  options: PinOptions,
  hint: string,
): Promise<void> {
  const print = printer(options)
  print('Its key in words:\n')
  print(wordsText(words))
  if (options.yes) return
  print(`Call the administrator of ${name}, on a number that did not come with this key, and let them`)
  print(`read it to you, all of it. ${hint}\n`)
  if (await confirm(`Were they the same? Type yes to pin ${name}: `)) return
  throw new CommandFailed('Nothing was pinned.', exitCodes.unsound)
}

/** The terms as the administration API takes them. */
export async function termsOf(options: PinOptions): Promise<JsonObject> {
  const { address, spki, ca, direction, transport, residency, note } = options
  return {
    ...(address === undefined ? {} : { address: parseHostPort(address) }),
    ...(spki === undefined ? {} : { spki_sha256: spki }),
    ...(ca === undefined ? {} : { ca: await readPem(ca) }),
    ...(direction === undefined ? {} : { direction }),
    ...(transport === undefined ? {} : { transport }),
    ...(residency === undefined ? {} : { residency }),
    ...(note === undefined ? {} : { note }),
  }
}

function parseHostPort(text: string): JsonObject {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+))(?::([0-9]{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined)
    throw new CommandFailed(`--address ${text}: write host:port, as in chat.example:8448.`, exitCodes.usage)
  return { host, port: Number(match?.[3] ?? 8448) }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    throw new CommandFailed(`--ca ${file} cannot be read.`, exitCodes.impossible)
  }
}

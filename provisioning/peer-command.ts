/**
 * `letro peer`: which other servers this one talks to.
 *
 * `card` reads the data folder alone; all else is asked of the running server, so that it holds at once.
 */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { handOutCard } from './peer-card.ts'
import { type PinOptions, pinCard, pinHomeserver, termsOf } from './peer-pin.ts'
import { act, CommandFailed, peersOf } from './peer-server.ts'
import { listLine, type ShownPeer, statusText } from './peer-text.ts'
import { confirm, print } from './terminal.ts'

interface Options extends PinOptions {
  readonly data: string
}

export function peerCommand(): Command {
  const peer = new Command('peer').description(
    'Which other servers this one talks to. All others get nothing.',
  )

  withData(peer, 'card')
    .description('Write this site’s card, for other administrators to pin.')
    .option('--out <file>', 'where to (default: SERVERNAME.card.json in this folder)')
    .option('--qr <file.svg>', 'write its QR code as a picture, too')
    .action(run(options => handOutCard(options.data, options as { out?: string; qr?: string })))

  const pin = withData(peer, 'pin [file]')
    .description('Pin a site by its card, or another Matrix homeserver by its signing key.')
    .option('--homeserver <name>', 'a homeserver without a card (Synapse): its server name')
    .option('--key <ed25519:id=base64>', 'its signing key; for one that is pinned: its new key')
    .option('--yes', 'do not ask: the words were compared')
    .addHelpText(
      'after',
      `
The words are the fingerprint of the key. Compare them with the administrator of the other
server by another way than the one the card came: by phone, on a number that you know.

A newer card of a site that is pinned is taken without comparing: the same root key signed it.

Examples:
  letro peer pin clinic.example.card.json --data /var/lib/letro
  letro peer pin --homeserver old.example --key ed25519:a_Xy=Noi6… --direction verify-only \\
    --data /var/lib/letro                (its old messages can be checked, nothing else)
  letro peer pin --homeserver chat.example --key ed25519:a_Xy=Noi6… --address chat.example:8448 \\
    --ca authority.pem --data /var/lib/letro
${exitCodesText}`,
    )
  withTerms(pin).action(
    run((options, file) => {
      if (options.homeserver !== undefined && file === undefined) return pinHomeserver(options.data, options)
      if (file !== undefined && options.homeserver === undefined) return pinCard(options.data, file, options)
      throw new CommandFailed('Give either the file of a card, or --homeserver.', exitCodes.usage)
    }),
  )

  withData(peer, 'list')
    .description('One line for each peer.')
    .action(
      run(async ({ data }) => {
        const peers = await peersOf(data)
        if (peers.length === 0) print('No server is pinned: this one talks to nobody.')
        for (const one of peers) print(listLine(one))
      }),
    )

  withData(peer, 'status [server]')
    .description('All about one peer, or about each.')
    .action(
      run(async ({ data }, server) => {
        const shown =
          server === undefined
            ? await peersOf(data)
            : [(await act(data, 'show', { server_name: server })) as unknown as ShownPeer]
        if (shown.length === 0) print('No server is pinned: this one talks to nobody.')
        print(shown.map(statusText).join('\n').trimEnd())
      }),
    )

  const change = withData(peer, 'change <server>').description(
    'Give a peer another address, direction, note …',
  )
  withTerms(change).action(
    run(async (options, server) => {
      const terms = await termsOf(options)
      if (Object.keys(terms).length === 0) throw new CommandFailed('Say what to change.', exitCodes.usage)
      const changed = await act(options.data, 'change', { ...terms, server_name: server })
      print(statusText(changed as unknown as ShownPeer).trimEnd())
    }),
  )

  withData(peer, 'suspend <server>')
    .description('Stop all traffic with a peer, at once and until it is resumed.')
    .action(
      run(async ({ data }, server) => {
        await act(data, 'suspend', { server_name: server })
        print(`${server} is suspended: nothing goes either way. What waits for it is kept.`)
        print(`Undo: letro peer resume ${server} --data ${data}`)
      }),
    )

  withData(peer, 'resume <server>')
    .description('Let traffic with a suspended peer go on.')
    .action(
      run(async ({ data }, server) => {
        await act(data, 'resume', { server_name: server })
        print(`${server} is a peer again. What waited for it goes out now.`)
      }),
    )

  withData(peer, 'remove <server>')
    .description('Forget a peer: it is a stranger from then on.')
    .option('--yes', 'do not ask')
    .action(
      run(async ({ data, yes }, server) => {
        const question = `Rooms with people of ${server} in them can freeze here, and what waits for it is dropped.
To stop traffic for a while, use suspend instead. Type yes to remove ${server}: `
        if (!yes && !(await confirm(question)))
          throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
        await act(data, 'remove', { server_name: server })
        print(`${server} is no peer any more.`)
      }),
    )

  withData(peer, 'rotate-key')
    .description('Sign events with a new key from now on. Peers learn it from the next card by themselves.')
    .action(
      run(async ({ data }) => {
        const { key_id: keyId, serial } = await act(data, 'rotate-our-key')
        print(`Events are signed with ${keyId} from now on; it stands in the card with the serial ${serial}.`)
        print(
          'Sites that pin this one fetch that card when they meet the new key: nobody compares anything again.',
        )
        print('A homeserver that is told its peers’ keys by hand must be told this one.')
      }),
    )
  return peer
}

const exitCodesText = `
Exit codes:
  0  done
  1  the server refused, or the answer was not yes
  2  the command line is wrong
  4  it could not run: no such file, the server does not answer
`

function withData(peer: Command, name: string): Command {
  return peer
    .command(name)
    .requiredOption('--data <folder>', "the server's data folder (server.data in letro.toml)")
}

function withTerms(command: Command): Command {
  return command
    .option('--address <host:port>', 'where to dial it (a site: in place of the address in its card)')
    .option(
      '--spki <sha256>',
      'its certificate has a key with this hash (base64); may be given twice',
      collect,
    )
    .option('--ca <file>', 'its certificate comes from this authority (PEM)')
    .option('--direction <way>', 'both, inbound, outbound or verify-only')
    .option('--transport <how>', 'https or bundle')
    .option('--residency <jurisdiction>', 'of a homeserver; a site says it in its card')
    .option('--note <text>', 'for whoever looks at this later')
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** commander hands in arguments, options, command; what fails is a sentence and an exit code. */
function run(command: (options: Options, argument: never) => Promise<void>) {
  return async (...given: unknown[]): Promise<void> => {
    const options = given.at(-2) as Options
    try {
      await command({ ...options, data: resolve(options.data) }, given[0] as never)
      process.exitCode = exitCodes.done
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error
      process.stderr.write(`${error.message}\n`)
      process.exitCode = error.exitCode
    }
  }
}

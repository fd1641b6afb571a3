/**
 * `letro peer`: which other servers this one talks to.
 *
 * With `--data`, `card` reads the data folder alone; all else is asked of the running server, so that it holds at once.
 */
import { Command } from 'commander'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { type CardOptions, handOutCard } from './peer-card.ts'
import { type PinOptions, pinCard, pinHomeserver, termsOf } from './peer-pin.ts'
import { changePeer, peersOf, removePeer, setSuspended, showPeer } from './peer-server.ts'
import { listLine, statusText } from './peer-text.ts'
import { connect, type ServerOptions, withServer } from './server-connection.ts'
import { confirm, print, tell } from './terminal.ts'

interface Options extends PinOptions, ServerOptions {}

export function peerCommand(): Command {
  const peer = new Command('peer').description(
    'Which other servers this one talks to. All others get nothing.',
  )
  const command = (name: string) => withServer(peer.command(name))

  command('card')
    .description('Write this site’s card, for other administrators to pin.')
    .option('--out <file>', 'where to (default: SERVERNAME.card.json in this folder)')
    .option('--qr <file.svg>', 'write its QR code as a picture, too')
    .action(act((options: Options & CardOptions) => handOutCard(options)))

  const pin = command('pin [file]')
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
    act(async (options: Options, file: string | undefined) => {
      if ((options.homeserver === undefined) === (file === undefined))
        throw new CommandFailed('Give either the file of a card, or --homeserver.', exitCodes.usage)
      const server = await connect(options)
      const pinned =
        file === undefined ? await pinHomeserver(server, options) : await pinCard(server, file, options)
      if (options.json) print(JSON.stringify(pinned))
    }),
  )

  command('list')
    .description('One line for each peer.')
    .action(
      act(async (options: Options) => {
        const peers = await peersOf(await connect(options))
        tell(options, { peers }, peers.length === 0 ? talksToNobody : peers.map(listLine).join('\n'))
      }),
    )

  command('status [server]')
    .description('All about one peer, or about each.')
    .action(
      act(async (options: Options, name: string | undefined) => {
        const server = await connect(options)
        const peers = name === undefined ? await peersOf(server) : [await showPeer(server, name)]
        const text = peers.map(statusText).join('\n').trimEnd()
        tell(options, { peers }, peers.length === 0 ? talksToNobody : text)
      }),
    )

  withTerms(command('change <server>'))
    .description('Give a peer another address, direction, note …')
    .action(
      act(async (options: Options, name: string) => {
        const terms = await termsOf(options)
        if (Object.keys(terms).length === 0) throw new CommandFailed('Say what to change.', exitCodes.usage)
        const changed = await changePeer(await connect(options), name, terms)
        tell(options, changed, statusText(changed).trimEnd())
      }),
    )

  command('suspend <server>')
    .description('Stop all traffic with a peer, at once and until it is resumed.')
    .action(
      act(async (options: Options, name: string) => {
        tell(
          options,
          await setSuspended(await connect(options), name, true),
          `${name} is suspended: nothing goes either way. What waits for it is kept.\nUndo: letro peer resume ${name}`,
        )
      }),
    )

  command('resume <server>')
    .description('Let traffic with a suspended peer go on.')
    .action(
      act(async (options: Options, name: string) => {
        tell(
          options,
          await setSuspended(await connect(options), name, false),
          `${name} is a peer again. What waited for it goes out now.`,
        )
      }),
    )

  command('remove <server>')
    .description('Forget a peer: it is a stranger from then on.')
    .option('--yes', 'do not ask')
    .action(
      act(async (options: Options, name: string) => {
        const question = `Rooms with people of ${name} in them can freeze here, and what waits for it is dropped.
To stop traffic for a while, use suspend instead. Type yes to remove ${name}: `
        if (!options.yes && !(await confirm(question)))
          throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
        await removePeer(await connect(options), name)
        tell(options, {}, `${name} is no peer any more.`)
      }),
    )

  command('rotate-key')
    .description('Sign events with a new key from now on. Peers learn it from the next card by themselves.')
    .action(
      act(async (options: Options) => {
        const rotated = await (await connect(options)).ask('POST', '/site-card/rotate-key')
        tell(
          options,
          rotated,
          `Events are signed with ${rotated['key_id']} from now on; it stands in the card with the serial ${rotated['serial']}.
Sites that pin this one fetch that card when they meet the new key: nobody compares anything again.
A homeserver that is told its peers’ keys by hand must be told this one.`,
        )
      }),
    )
  return peer
}

const talksToNobody = 'No server is pinned: this one talks to nobody.'

const exitCodesText = `
Exit codes:
  0  done
  1  the server refused, or the answer was not yes
  2  the command line is wrong
  4  it could not run: no such file, the server does not answer
`

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

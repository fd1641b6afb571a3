/** `letro login` and `letro logout`: an administrator lets this command line in, from the app, for eight hours at most. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { hostname, userInfo } from 'node:os'
import { Command } from 'commander'
import type { JsonObject } from '#protocol/json.ts'
import { act } from './act.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { dropLogin, keepLogin, type Login, loginFor } from './logins.ts'
import { readAuthority, serverAddress } from './server-address.ts'
import { awayByNetwork, connect, objectIn } from './server-connection.ts'
import { print } from './terminal.ts'

interface Options {
  readonly ca?: string
  readonly readOnly?: boolean
  readonly json?: boolean
}

export function loginCommand(): Command {
  return new Command('login')
    .description('Let this command line administer a server, for eight hours at most.')
    .argument('<url>', 'the address that people open')
    .option(
      '--ca <file>',
      "the authority of the server's certificate (PEM), where this machine does not know it",
    )
    .option('--read-only', 'to look, not to change anything')
    .option('--json', 'answer in JSON, for scripts')
    .addHelpText(
      'after',
      `
It shows a code. An administrator opens the app, Administration, "Allow a command line", types
the code and confirms with their passkey. What is done here afterwards is done in their name,
and stands in the audit so. The login is kept in a file of this user alone.

Examples:
  letro login https://chat.clinic.example
  letro login https://chat.clinic.example --ca authority.pem --read-only
  letro logout https://chat.clinic.example
`,
    )
    .action(act((options: Options, url: string) => login(url, options)))
}

export function logoutCommand(): Command {
  return new Command('logout')
    .description('End what letro login began.')
    .argument('[url]', 'the address; not needed where there is one login')
    .action(
      act(async (_options: object, url: string | undefined) => {
        const { url: server, id } = await loginFor(url)
        await (await connect({ server })).ask('DELETE', `/command-lines/${id}`)
        await dropLogin(server)
        print(`${server}: logged out.`)
      }),
    )
}

async function login(given: string, options: Options): Promise<void> {
  const url = serverAddress(given)
  const authority = options.ca === undefined ? undefined : await readAuthority(options.ca)
  const begin = {
    label: `${userInfo().username} on ${hostname()}`,
    scope: options.readOnly ? 'read' : 'manage',
  }
  const begun = await post(url, 'begin', begin, authority)
  const { code, secret, expires_ts: expiresTs, interval_ms: intervalMs } = begun
  if (options.json) print(JSON.stringify({ code, expires_ts: expiresTs }))
  else {
    print(`In the app at ${url}: Administration, "Allow a command line". The code is\n`)
    print(`    ${code}\n`)
    print(`It is good until ${new Date(Number(expiresTs)).toLocaleTimeString()}. Waiting …`)
  }
  for (;;) {
    await new Promise(resolve => setTimeout(resolve, Number(intervalMs)))
    const got = await post(url, 'collect', { secret: String(secret) }, authority)
    if (got['waiting'] === true) continue
    const login = loginOf(url, got, authority)
    await keepLogin(login)
    if (options.json) print(JSON.stringify({ url, user_id: login.userId, expires_ts: login.expiresTs }))
    else {
      print(`\nYou act for ${login.userId} until ${new Date(login.expiresTs).toLocaleTimeString()}.`)
      print('Try: letro status')
    }
    return
  }
}

function loginOf(url: string, got: JsonObject, authority: string | undefined): Login {
  return {
    url,
    token: String(got['token']),
    id: String(got['id']),
    userId: String(got['user_id']),
    scope: got['scope'] === 'read' ? 'read' : 'manage',
    expiresTs: Number(got['expires_ts']),
    ...(authority === undefined ? {} : { authority }),
  }
}

/** Without a token: there is none yet. */
function post(url: string, act: string, body: JsonObject, ca: string | undefined): Promise<JsonObject> {
  const start = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((fulfil, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(new CommandFailed(awayByNetwork(url, error.code ?? 'no answer'), exitCodes.impossible))
    const request = start(
      `${url}/_letro/admin/v1/command-lines/${act}`,
      {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        ...(ca === undefined ? {} : { ca }),
      },
      answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => {
          text += part
        })
        answer.on('error', fail)
        answer.on('end', () => {
          const parsed = objectIn(text)
          if (answer.statusCode === 200 && parsed) return fulfil(parsed)
          const said = parsed?.['error']
          const sentence = typeof said === 'string' ? said : `${url} is no Letro server, or an older one.`
          reject(new CommandFailed(sentence, exitCodes.unsound))
        })
      },
    )
    request.setTimeout(30_000, () => request.destroy())
    request.on('error', fail)
    request.end(JSON.stringify(body))
  })
}

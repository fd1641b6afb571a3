/** What is done to the site: by the server's administration API where it runs, else by the command `letro`. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Machine, MachineRefused } from '../machine.ts'
import { type AdminSocket, objectIn } from './admin-socket.ts'
import { siteOfToml } from './facts.ts'
import type { LetroCommand } from './letro-command.ts'
import { writeRestoredToml } from './restored-site.ts'
import { namesOn, type Sticks } from './sticks.ts'

export interface SiteDeps {
  /** The folder of letro.toml and data/. */
  readonly folder: string
  readonly configFile: string
  readonly server: AdminSocket
  readonly letro: LetroCommand
  readonly sticks: Sticks
  /** The server runs from now on, and whenever the machine starts. */
  readonly startServer: () => Promise<void>
  readonly clock: () => number
}

type SiteActs = Pick<
  Machine,
  | 'firstAdministratorLink'
  | 'recoverAdministrator'
  | 'healthText'
  | 'certificateText'
  | 'requestToStick'
  | 'stickCertificates'
  | 'importCertificate'
  | 'newBackupKey'
  | 'backupToStick'
  | 'stickBackups'
  | 'restoreBackup'
  | 'repairStore'
  | 'maintenanceCode'
  | 'serveAgain'
>

const certificateNames = /\.(?:pem|crt|cer|p12|pfx)$/i
const backupNames = /\.age$/

export function siteActs({
  folder,
  configFile,
  server,
  letro,
  sticks,
  startServer,
  clock,
}: SiteDeps): SiteActs {
  const data = join(folder, 'data')
  const atData = ['--data', data]
  const lines = (text: string) => text.trimEnd().split('\n')
  const toml = () => readFileSync(configFile, 'utf8')
  const names = () => {
    const site = siteOfToml(toml())
    if (!site) throw new MachineRefused('SITE_UNREADABLE', 'letro.toml does not say which site this is.')
    const hosts = [new URL(site.origin).hostname, site.serverName.replace(/:[0-9]+$/, '')]
    return [...new Set(hosts)].flatMap(host => ['--name', host])
  }
  /** It answers whatever state the data is in, to whoever can read the data folder. */
  const maintenance = async (method: 'GET' | 'POST', path: string) => {
    const token = readFileSync(join(data, 'maintenance.token'), 'utf8').trim()
    const body = method === 'POST' ? {} : undefined
    const answer = await server.send(method, `/_letro/maintenance/v1${path}`, body, token)
    if (!answer) throw new MachineRefused('SERVER_AWAY', 'The server does not answer. Nothing was changed.')
    if (answer.status < 300) return answer.json
    const said = answer.json['error'] ?? `The server refused (HTTP ${answer.status}).`
    throw new MachineRefused('SERVER_REFUSED', String(said))
  }

  return {
    firstAdministratorLink: async () => {
      const { people } = await server.ask('GET', '/people?kind=administrator&limit=1')
      if (Array.isArray(people) && people.length > 0)
        throw new MachineRefused(
          'ADMINISTRATOR_EXISTS',
          'This site has an administrator: they invite all others.',
        )
      const { server_name: serverName } = await server.ask('GET', '/site')
      const localpart = /^first_administrator\s*=\s*"([^"\\]*)"/m.exec(toml())?.[1] ?? 'admin'
      const made = await server.ask('POST', '/enrolment-links', {
        user_id: `@${localpart}:${String(serverName)}`,
        kind: 'administrator',
      })
      return {
        link: String(made['link']),
        userId: String(made['user_id']),
        expiresTs: Number(made['expires_ts']),
        remark: null,
      }
    },

    recoverAdministrator: async ({ userId }) => {
      const site = siteOfToml(toml())
      const whole =
        userId === null || userId.startsWith('@') ? userId : `@${userId}:${site?.serverName ?? ''}`
      const made = await letro.json([
        'recover-administrator',
        ...atData,
        ...(whole === null ? [] : ['--user', whole]),
        ...(site === null ? [] : ['--origin', site.origin]),
      ])
      return {
        link: String(made['link']),
        userId: typeof made['user_id'] === 'string' ? made['user_id'] : (whole ?? 'the administrator'),
        expiresTs: typeof made['expires_ts'] === 'number' ? made['expires_ts'] : null,
        remark:
          made['waits'] === true
            ? 'The server does not answer now: the link works from its next start on.'
            : null,
      }
    },

    healthText: async () => lines(await letro.text(['status', ...atData])),
    certificateText: async () => lines(await letro.text(['certificate', 'show', ...atData])),

    requestToStick: ({ organisation, country }) =>
      sticks.with('write', async stick => {
        const name = `${names()[1]!.replaceAll(/[^0-9A-Za-z.-]/g, '_')}.csr`
        await letro.json([
          'certificate',
          'request',
          ...atData,
          ...names(),
          '--out',
          join(stick, name),
          ...(organisation === '' ? [] : ['--organisation', organisation]),
          ...(country === '' ? [] : ['--country', country]),
        ])
        return name
      }),

    stickCertificates: () => sticks.with('read', async stick => namesOn(stick, certificateNames)),

    importCertificate: async ({ name, passphrase }) => {
      const taken = await sticks.with('read', stick =>
        letro.json(
          [
            'certificate',
            'import',
            join(stick, mustBeName(name, certificateNames)),
            ...atData,
            ...names(),
            ...(passphrase === null ? [] : ['--passphrase-fd', '0']),
          ],
          passphrase === null ? '' : `${passphrase}\n`,
        ),
      )
      await startServer()
      const remarks = Array.isArray(taken['remarks']) ? taken['remarks'].map(String) : []
      return [
        taken['state'] === 'waiting'
          ? 'The old certificate stays in use while other servers learn the new key; then the server changes by itself.'
          : 'The server uses it within ten seconds.',
        ...remarks,
      ]
    },

    newBackupKey: async () => {
      const { private_key: privateKey, recipient } = await letro.json(['backup', 'key', ...atData])
      return { privateKey: String(privateKey), recipient: String(recipient) }
    },

    backupToStick: (_, tell) =>
      sticks.with('write', async stick => {
        tell({
          text: 'All data is read, encrypted, and written to the stick. This can take long.',
          part: null,
        })
        const serverName = siteOfToml(toml())?.serverName ?? 'site'
        const moment = `${new Date(clock()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
        const name = `letro-${serverName.replaceAll(/[^0-9A-Za-z.-]/g, '_')}-${moment}-000.age`
        await letro.json(['backup', 'create', ...atData, '--out', join(stick, name)])
        return name
      }),

    stickBackups: () => sticks.with('read', async stick => namesOn(stick, backupNames).reverse()),

    restoreBackup: async ({ name, key }, tell) => {
      if (existsSync(configFile))
        throw new MachineRefused(
          'SITE_EXISTS',
          'There is a site on this machine already. Only a factory reset removes it.',
        )
      tell({ text: 'The backup is read, compared and put in place. This can take long.', part: null })
      const restored = await sticks.with('read', stick =>
        letro.json(
          ['backup', 'restore', join(stick, mustBeName(name, backupNames)), '--key', '-', ...atData],
          `${key}\n`,
        ),
      )
      const configuration = objectIn(readFileSync(join(data, 'configuration-of-backup.json'), 'utf8'))
      await writeRestoredToml(configFile, configuration, String(restored['server']))
      await startServer()
      return restoredWords(restored)
    },

    maintenanceCode: async () => {
      const { code, expires_ts: expiresTs } = await maintenance('GET', '/code')
      return { code: String(code), expiresTs: Number(expiresTs) }
    },

    serveAgain: async () => void (await maintenance('POST', '/leave')),

    repairStore: async (_, tell) => {
      tell({ text: 'Everything is read; what is certain is kept.', part: null })
      const report = await maintenance('POST', '/repair')
      return [
        'The server serves again. People sign in again; pins are compared with their cards.',
        ...numbersIn(report),
      ]
    },
  }
}

function mustBeName(name: string, wanted: RegExp): string {
  if (/^[A-Za-z0-9][\w.+-]{0,200}$/.test(name) && wanted.test(name)) return name
  throw new MachineRefused('STICK_FILE', 'This file cannot be taken from the stick.')
}

function restoredWords(restored: Readonly<Record<string, unknown>>): string[] {
  const missing = Number(restored['media_missing'] ?? 0)
  const words = Array.isArray(restored['fingerprint']) ? restored['fingerprint'].map(String) : []
  return [
    `${String(restored['server'])} is back as it was at ${new Date(Number(restored['created_ts'])).toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
    `${String(restored['rows'])} rows, ${String(restored['media'])} media files${missing > 0 ? `; ${missing} media files were NOT in the backup` : ''}.`,
    '',
    'Compare these words of its root key with those on paper: if they differ, somebody else made this backup.',
    words.join(' '),
    '',
    'The old machine must never run again. Everybody signs in again; peers are suspended until you have looked at each.',
  ]
}

function numbersIn(report: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(report).flatMap(([name, value]) =>
    typeof value === 'number' ? [`${name.replaceAll('_', ' ')}: ${value}`] : [],
  )
}

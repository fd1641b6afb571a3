/** The machine that the console stands on. What an area of the appliance can do is called there; the rest is put together in real/. */
import { existsSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { adminSocket } from '#protocol/local-request.ts'
import { ourDisk } from '../disk/our-disk.ts'
import type { Machine as SystemMachine } from '../program.ts'
import { type Machine, MachineRefused, type UpdateFound } from './machine.ts'
import { PinFile } from './pin-file.ts'
import { AdminSocket } from './real/admin-socket.ts'
import { diskActs } from './real/disk-acts.ts'
import { readFacts } from './real/facts.ts'
import { letroCommand } from './real/letro-command.ts'
import { licenceActs } from './real/licence-files.ts'
import { setUpActs } from './real/set-up-acts.ts'
import { settingsActs } from './real/settings-acts.ts'
import { siteActs } from './real/site-acts.ts'
import { namesOn, sticks } from './real/sticks.ts'
import { UpdaterSocket } from './real/updater-socket.ts'

export interface RealMachineDeps {
  readonly system: SystemMachine
  readonly clock: () => number
  /** As whom the command `letro` runs; null: as this process. */
  readonly letroUser: number | null
}

/** A server that starts reads its whole store first. */
const longestStartMs = 180_000
const updateNames = /\.update$/

export function realMachine({ system, clock, letroUser }: RealMachineDeps): Machine {
  const { paths } = system
  const data = join(paths.site, 'data')
  const server = new AdminSocket(join(data, adminSocket))
  const updater = new UpdaterSocket(paths.updateSocket)
  const pin = new PinFile(join(paths.settings, 'pin.json'), clock)
  const media = sticks(system)
  const systemctl = async (...args: string[]) => {
    const { code, stderr } = await system.run('systemctl', args)
    if (code !== 0)
      throw new MachineRefused('SYSTEM_REFUSED', `The system did not do it (systemctl ${args[0]}).`, [], {
        cause: new Error(stderr.slice(-500)),
      })
  }
  let removable: Promise<boolean> | null = null
  const isRemovable = () => {
    removable ??= ourDisk(system).then(
      ({ disk: { transport } }) => transport === 'usb',
      () => false,
    )
    return removable
  }
  /** The organisation's authority has to issue it first. */
  const awaitsCertificate = () =>
    /^authority\s*=\s*"organisation"/m.test(readFileSync(paths.configFile, 'utf8')) &&
    !existsSync(join(data, 'tls', 'certificate.pem'))
  const facts = () => readFacts({ disk: system, server, updater, hasPin: () => pin.isSet, isRemovable })
  const restart = () => systemctl('--no-block', 'reboot')
  const startServer = () => systemctl('--no-block', 'start', 'letro-server.service')

  return {
    look: facts,
    awaitServer: async (_, tell) => {
      const until = clock() + longestStartMs
      for (;;) {
        const now = await facts()
        if (now.server.state !== 'none' && now.server.state !== 'away') return now
        if (clock() > until)
          throw new MachineRefused(
            'SERVER_SILENT',
            ['The server does not answer. What it said last:', ...now.server.sentences].join('\n'),
          )
        tell({ text: 'The server starts.', part: null })
        await new Promise(done => setTimeout(done, 500))
      }
    },
    ...setUpActs(system, awaitsCertificate),
    ...diskActs(system, () => systemctl('--no-block', 'start', 'letro-data.target'), restart),
    ...settingsActs(system, clock),
    ...siteActs({
      folder: paths.site,
      configFile: paths.configFile,
      server,
      letro: letroCommand({ program: paths.program, user: letroUser }),
      sticks: media,
      startServer,
      clock,
    }),
    checkPin: async ({ pin: typed }) => {
      await pin.check(typed)
      return null
    },
    setPin: async ({ pin: wanted }) => {
      await pin.set(wanted)
      return null
    },
    findUpdates: async () => {
      const [status, uploaded, onStick] = await Promise.all([
        updater.status().catch(() => null),
        updatesIn(paths.spool, 'uploaded'),
        media.with('read', async folder => updatesIn(folder, 'stick')).catch(noStick),
      ])
      return {
        found: [...onStick, ...uploaded],
        window: status?.window ?? null,
        wentBack: status?.went_back?.version ?? null,
      }
    },
    checkUpdate: ({ file }, tell) => withUpdate(file, () => updater.check(file, tell)),
    applyUpdate: ({ file }, tell) =>
      withUpdate(file, async () => {
        await updater.apply(file, tell)
        return null
      }),
    restartForUpdate: async () => {
      await updater.restartAt('now')
      return null
    },
    setUpdateWindow: async ({ window }) => {
      await updater.restartAt(window)
      return null
    },
    restart: async () => {
      await restart()
      return null
    },
    powerOff: async () => {
      await systemctl('--no-block', 'poweroff')
      return null
    },
    ...licenceActs(['/usr/share/licences', join(paths.program, 'node_modules')]),
  }

  /** The updater reads the stick where it is mounted. */
  function withUpdate<T>(file: string, work: () => Promise<T>): Promise<T> {
    return file.startsWith(`${paths.stick}/`) ? media.with('read', work) : work()
  }
}

async function updatesIn(folder: string, from: UpdateFound['from']): Promise<UpdateFound[]> {
  const isFolder = await stat(folder).then(
    found => found.isDirectory(),
    () => false,
  )
  if (!isFolder) return []
  return namesOn(folder, updateNames).map(name => ({ file: join(folder, name), name, from }))
}

/** Without a stick there are those that were uploaded; what is wrong with one is worth saying. */
function noStick(error: unknown): UpdateFound[] {
  if (error instanceof MachineRefused && error.code === 'STICK_NONE') return []
  throw error
}

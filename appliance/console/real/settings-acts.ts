/** The machine's network and time, kept by appliance/network. */
import { clockState, confirmClock, saveTime, setClock } from '../../network/clock.ts'
import { readNetwork, readTime } from '../../network/settings.ts'
import { abandonNetwork, confirmNetwork, tryNetwork } from '../../network/trial.ts'
import type { Machine as SystemMachine } from '../../program.ts'
import type { Machine } from '../machine.ts'

type SettingsActs = Pick<
  Machine,
  | 'networkSettings'
  | 'tryNetwork'
  | 'keepNetwork'
  | 'takeBackNetwork'
  | 'timeSettings'
  | 'setTimeServers'
  | 'setClock'
  | 'confirmClock'
>

export function settingsActs(system: SystemMachine, clock: () => number): SettingsActs {
  return {
    networkSettings: async () => readNetwork(system),
    tryNetwork: async settings => ({ untilTs: (await tryNetwork(system, settings)).endsTs }),
    keepNetwork: async () => {
      await confirmNetwork(system)
      return null
    },
    takeBackNetwork: async () => {
      await abandonNetwork(system)
      return null
    },
    timeSettings: async () => {
      const state = clockState(system)?.state
      return {
        servers: readTime(system).servers,
        doubt: state === 'behind' || state === 'ahead' ? state : null,
      }
    },
    setTimeServers: async ({ servers }) => {
      const before = readTime(system)
      await saveTime(system, { ...before, servers, nts: before.nts && servers.length > 0 })
      return null
    },
    setClock: async ({ ts, evenBack }) => {
      await setClock(system, ts, { evenBack })
      return null
    },
    confirmClock: async () => {
      confirmClock(system, clock())
      return null
    },
  }
}

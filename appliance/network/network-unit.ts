/** The program of letro-network.service: the network is as network.json says. Runs when the data has been opened, and when a trial's time is over. */
import { MachineError, thisMachine } from '../program.ts'
import { applyNetwork } from './apply.ts'
import { restoreNetwork } from './trial.ts'

const machine = thisMachine()
try {
  await restoreNetwork(machine)
} catch (error) {
  if (!(error instanceof MachineError) || error.code !== 'SETTINGS_DAMAGED') throw error
  process.stderr.write(`${error.message}\n`)
  const { defaultNetwork } = await import('#protocol/network-settings.ts')
  await applyNetwork(machine, defaultNetwork)
  process.exitCode = 1
}

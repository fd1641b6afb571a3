/** The console as a program, for tests: the real edge and core on this process's terminal, and a machine of the test. */
import { runConsole } from '../../appliance/console/tty.ts'
import { newMachine, servingMachine, testMachine } from './console-machine.ts'

const machine = testMachine(
  process.argv[2] === 'new' ? newMachine : { ...servingMachine, hasPin: process.argv[2] === 'pin' },
)
const running = runConsole({
  machine,
  line: process.argv[3] === 'console' ? 'console' : 'serial',
  input: process.stdin,
  output: process.stdout,
  clock: Date.now,
  log: words => void process.stderr.write(`${words}\n`),
})
process.once('SIGTERM', () => {
  running.stop()
  process.exit(0)
})

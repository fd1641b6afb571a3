/**
 * The console of an appliance, on the line that LETRO_CONSOLE names: tty1 (a screen and a keyboard) or a serial port. Its unit
 * opens the line for it, and starts it again whatever happens.
 */
import { serverUser } from '../paths.ts'
import { thisMachine } from '../program.ts'
import { realMachine } from './real-machine.ts'
import { runConsole } from './tty.ts'

const line = /^tty[0-9]+$/.test(process.env['LETRO_CONSOLE'] ?? '') ? 'console' : 'serial'
const running = runConsole({
  machine: realMachine({
    system: thisMachine(),
    clock: Date.now,
    letroUser: serverUser.id,
  }),
  line,
  input: process.stdin,
  output: process.stdout,
  clock: Date.now,
  log: words => void process.stderr.write(`${words}\n`),
})

function leave(code: number): void {
  running.stop()
  process.exit(code)
}
process.once('SIGTERM', () => leave(0))
process.once('SIGINT', () => leave(0))
// The line is gone (a virtual serial port that was taken away): the unit tries again.
process.stdin.once('end', () => leave(1))
process.stdin.once('error', () => leave(1))
process.stdout.once('error', () => process.exit(1))

#!/usr/bin/env node
/**
 * The command `letro`: what an administrator does at a terminal, on the server's own machine or over the network.
 *
 * Each group of commands is a file of its own. Exit codes are the same everywhere (exit-codes.ts).
 */
import { Command, CommanderError } from 'commander'
import { exitCodes } from './exit-codes.ts'

/** Each is loaded when it is asked for: nobody waits for what issues certificates to see a status. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init-command.ts')).initCommand(),
  status: async () => (await import('./status-command.ts')).statusCommand(),
  enrol: async () => (await import('./enrol-command.ts')).enrolCommand(),
  backup: async () => (await import('./backup-command.ts')).backupCommand(),
  certificate: async () => (await import('./certificate-command.ts')).certificateCommand(),
  peer: async () => (await import('./peer-command.ts')).peerCommand(),
  settings: async () => (await import('./settings-command.ts')).settingsCommand(),
  stick: async () => (await import('./stick-command.ts')).stickCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  store: async () => (await import('./store-command.ts')).storeCommand(),
  update: async () => (await import('./update-command.ts')).updateCommand(),
  'recover-administrator': async () => (await import('./recover.ts')).recoverCommand(),
  login: async () => (await import('./login-command.ts')).loginCommand(),
  logout: async () => (await import('./login-command.ts')).logoutCommand(),
}

// A command that has both options and commands of its own (update) needs them told apart by their place.
const program = new Command('letro').description('Administer a Letro server.').enablePositionalOptions()
const named = Object.hasOwn(commands, process.argv[2] ?? '') ? [process.argv[2]!] : Object.keys(commands)
for (const name of named) program.addCommand(await commands[name]!())

// Whoever read the output has read enough (`letro … | head`). What was asked for was done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

throwInsteadOfExiting(program)
try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help was asked for, or commander has said what is wrong.
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage
}

/** Commands that were added do not inherit it. */
function throwInsteadOfExiting(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) throwInsteadOfExiting(inner)
}

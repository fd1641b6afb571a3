#!/usr/bin/env node
/**
 * The command `letro`: what an administrator does at a terminal, on the server's own machine or over the network.
 *
 * Each group of commands is a file of its own. Exit codes are the same everywhere (exit-codes.ts).
 */
import { Command, CommanderError } from 'commander'
import { auditCommand } from './audit.ts'
import { backupCommand } from './backup-command.ts'
import { certificateCommand } from './certificate-command.ts'
import { enrolCommand } from './enrol-command.ts'
import { exitCodes } from './exit-codes.ts'
import { initCommand } from './init-command.ts'
import { loginCommand, logoutCommand } from './login-command.ts'
import { peerCommand } from './peer-command.ts'
import { recoverCommand } from './recover.ts'
import { statusCommand } from './status-command.ts'
import { storeCommand } from './store-command.ts'

const program = new Command('letro')
  .description('Administer a Letro server.')
  .addCommand(initCommand())
  .addCommand(statusCommand())
  .addCommand(storeCommand())
  .addCommand(recoverCommand())
  .addCommand(auditCommand())
  .addCommand(enrolCommand())
  .addCommand(backupCommand())
  .addCommand(peerCommand())
  .addCommand(certificateCommand())
  .addCommand(loginCommand())
  .addCommand(logoutCommand())

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

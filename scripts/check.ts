/** `npm run check`: types, lint and format, import directions. Says all that is wrong, not only the first. */
import { spawnSync } from 'node:child_process'

const steps: [name: string, command: string[]][] = [
  ['types', ['tsc']],
  ['types of server/protocol (no Node, no DOM)', ['tsc', '-p', 'server/protocol']],
  ['types of pwa (browser)', ['tsc', '-p', 'pwa']],
  ['types of the vault’s tests (browser and Node)', ['tsc', '-p', 'test/vault']],
  ['types of the app’s tests (browser and Node)', ['tsc', '-p', 'test/pwa']],
  ['types of the demonstration (browser and Node)', ['tsc', '-p', 'scripts/demo']],
  ['lint and format', ['biome', 'check', '--error-on-warnings', '.']],
  ['import directions', ['ava', 'test/architecture.test.ts']],
]

let failed = 0
for (const [name, [command, ...args]] of steps) {
  const { status } = spawnSync(command!, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  if (status !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)

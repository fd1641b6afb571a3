/** Programs of Debian that tests need and that npm cannot bring. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Whether this process may install, on a system that has apt. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
}

/** Does nothing where the program is there. @throws with what apt said */
export function bringProgram(program: string, debianPackage: string): void {
  if (existsSync(program)) return
  run('update', '-qq')
  run('install', '-y', '-qq', '--no-install-recommends', debianPackage)
}

function run(...args: string[]): void {
  console.log(`apt-get ${args.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr } = spawnSync('apt-get', args, { encoding: 'utf8', env })
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed: ${stderr}`)
}

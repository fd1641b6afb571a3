/**
 * Firefox for tests: found, or installed once where the machine is Debian and we are root. Null elsewhere: nobody is made
 * to install a second browser. `FIREFOX_PATH` names another one.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const places = ['/usr/bin/firefox-esr', '/usr/bin/firefox']

export function findFirefox(): string | null {
  const own = process.env['FIREFOX_PATH']
  return (own ? [own] : places).find(path => existsSync(path)) ?? null
}

export function installFirefox(): string | null {
  const found = findFirefox()
  if (found || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return found
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'firefox-esr'],
  ]) {
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  }
  return findFirefox()
}

/**
 * A Chromium that trusts an authority as a person's does after the steps of the trust page: it is in the store of its
 * user (NSS, in the folder that is its home), and nowhere else.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { chromiumArgs, findChromium, patient } from './chromium.ts'
import { bringProgram } from './debian-package.ts'

/**
 * @param home a folder of this browser's own
 * @param authority PEM or DER file; null: nothing but what every browser knows
 * @param hosts names that lead to this machine: `*.clinic.test`
 */
export async function launchTrusting(
  home: string,
  authority: string | null,
  hosts: string,
): Promise<Browser> {
  const store = join(home, '.pki', 'nssdb')
  mkdirSync(store, { recursive: true })
  if (authority !== null) {
    installCertutil()
    run('certutil', ['-N', '--empty-password', '-d', `sql:${store}`])
    run('certutil', ['-A', '-d', `sql:${store}`, '-t', 'C,,', '-n', 'the authority', '-i', authority])
  }
  return patient(
    await chromium.launch({
      executablePath: findChromium()!,
      args: [...chromiumArgs, `--host-resolver-rules=MAP ${hosts} 127.0.0.1`],
      env: { ...process.env, HOME: home },
    }),
  )
}

/** NSS's tool, for a Chromium that trusts an authority. */
export function installCertutil(): void {
  bringProgram('/usr/bin/certutil', 'libnss3-tools')
}

function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`)
}

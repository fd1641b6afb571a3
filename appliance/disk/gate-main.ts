/**
 * letro-gate.service: looks every two seconds until this release has proved itself, then ends well. It ends badly only to go back to
 * the release before (the unit restarts the machine then); otherwise it waits as long as it takes.
 */
import { access } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readDiskState } from './disk-state.ts'
import { judge, type Seen } from './gate.ts'
import { hasOtherImage, kernelImages } from './kernel-images.ts'
import { type Machine, thisMachine } from './machine.ts'
import { thisRelease } from './release.ts'
import { isOnTrial } from './report.ts'
import { serverAnswers } from './server-answers.ts'

const lookEveryMs = 2_000

process.exitCode = await gate(thisMachine())

async function gate(machine: Machine): Promise<number> {
  const { version } = await thisRelease(machine)
  const began = performance.now()
  let openSince: number | null = null
  let said = ''
  for (;;) {
    if (!(await isOnTrial(machine, version))) return 0
    const seen = await look(machine, version)
    if (seen.disk?.state !== 'open') openSince = null
    else openSince ??= performance.now()
    const verdict = judge({
      ...seen,
      elapsedMs: performance.now() - began,
      openForMs: openSince === null ? null : performance.now() - openSince,
    })
    if (verdict.kind === 'pass') return 0
    if (verdict.kind === 'back') {
      console.error(`Release ${version} did not prove itself: ${verdict.reason}. The machine restarts.`)
      return 1
    }
    if (verdict.until !== said) console.info(`Release ${version} has to prove itself: ${verdict.until}`)
    said = verdict.until
    await sleep(lookEveryMs)
  }
}

async function look(machine: Machine, version: string): Promise<Omit<Seen, 'elapsedMs' | 'openForMs'>> {
  const disk = await readDiskState(machine)
  const hasSite =
    disk?.state === 'open' &&
    (await access(machine.paths.configFile).then(
      () => true,
      () => false,
    ))
  const consoleRuns = await machine.run('systemctl', ['is-active', '--quiet', 'letro-console@tty1.service'])
  return {
    disk,
    hasSite,
    server: hasSite ? await serverAnswers(machine) : 'silent',
    consoleRuns: consoleRuns.code === 0,
    otherImage: hasOtherImage(await kernelImages(machine), version),
  }
}

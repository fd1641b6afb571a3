/**
 * letro-gate.service, at every start: looks every two seconds until this start came far enough, puts the boot loader's counter back, and
 * ends well. It ends badly only to go back to the release before (the unit restarts the machine then); otherwise it
 * waits as long as it takes.
 */
import { access } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { consoleRuns } from './console-runs.ts'
import { readDiskState } from './disk-state.ts'
import { judge, type Seen } from './gate.ts'
import { giveUpImage, hasOtherImage, keepImage, kernelImages } from './kernel-images.ts'
import { type Machine, thisMachine } from './machine.ts'
import { thisRelease } from './release.ts'
import { serverAnswers } from './server-answers.ts'
import { serverEnds } from './server-ends.ts'

const lookEveryMs = 2_000

process.exitCode = await gate(thisMachine())

async function gate(machine: Machine): Promise<number> {
  const { version } = await thisRelease(machine)
  const began = performance.now()
  let openSince: number | null = null
  let said = ''
  for (;;) {
    const seen = await look(machine, version)
    if (seen.disk?.state !== 'open') openSince = null
    else openSince ??= performance.now()
    const verdict = judge({
      ...seen,
      elapsedMs: performance.now() - began,
      openForMs: openSince === null ? null : performance.now() - openSince,
    })
    if (verdict.kind === 'pass') {
      await keepImage(machine, version)
      return 0
    }
    if (verdict.kind === 'back') {
      // A good one keeps its tries. One that never was would not be it the next time either.
      if (!seen.good) await giveUpImage(machine, version)
      console.error(`Release ${version} did not prove itself: ${verdict.reason}. The machine restarts.`)
      return 1
    }
    if (verdict.until !== said)
      console.info(`Release ${version} has not come far enough yet: ${verdict.until}`)
    said = verdict.until
    await sleep(lookEveryMs)
  }
}

async function look(machine: Machine, version: string): Promise<Omit<Seen, 'elapsedMs' | 'openForMs'>> {
  const images = await kernelImages(machine)
  const good = images.some(image => image.version === version && image.good)
  const disk = await readDiskState(machine)
  const hasSite =
    disk?.state === 'open' &&
    (await access(machine.paths.configFile).then(
      () => true,
      () => false,
    ))
  return {
    good,
    disk,
    hasSite,
    server: hasSite && !good ? await serverAnswers(machine) : 'silent',
    serverEnds: hasSite && !good ? await serverEnds(machine) : 0,
    consoleRuns: await consoleRuns(machine),
    otherImage: hasOtherImage(images, version),
  }
}

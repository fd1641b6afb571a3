/** A machine whose provisioning comes as an ISO image: in the CD drive of a virtual machine, or a BMC's virtual medium. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { registerCompletionHandler } from 'ava'
import { bringProgram } from '../../../support/debian-package.ts'
import { answers } from '../first-start.ts'
import { SiteMachine } from '../golden.ts'
import { prepared } from '../settings.ts'

registerCompletionHandler(() => process.exit())

test('an ISO image with the label LETROCONF sets a machine up', async t => {
  const own = await SiteMachine.fromStick(t, 'from-disc', { sticks: {}, disc: provisioningDisc() })
  await own.keepsItsPromise(t)
})

/** As most programs write one: with Joliet's and Rock Ridge's names. @returns its path */
function provisioningDisc(): string {
  bringProgram('/usr/bin/genisoimage', 'genisoimage')
  const stage = join(prepared().folder, 'disc')
  const image = `${stage}.iso`
  mkdirSync(stage, { recursive: true })
  writeFileSync(join(stage, 'letro.json'), JSON.stringify(answers))
  const args = ['-quiet', '-J', '-r', '-V', 'LETROCONF', '-o', image, stage]
  const { status, stderr } = spawnSync('genisoimage', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`genisoimage: ${stderr}`)
  return image
}

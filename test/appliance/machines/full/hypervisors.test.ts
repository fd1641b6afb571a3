/** What is made of the image for hypervisors: the qcow2 as it is, the OVA as an import takes it apart. Each is started. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext, registerCompletionHandler } from 'ava'
import { makeFormat } from '../../../../appliance/image/formats.ts'
import { Log } from '../../../../appliance/image/run.ts'
import { Tools as BuildTools } from '../../../../appliance/image/tools.ts'
import { SiteMachine } from '../golden.ts'
import type { MachineOptions } from '../machine.ts'
import { prepared } from '../settings.ts'
import { Tools } from '../tools.ts'

registerCompletionHandler(() => process.exit())
const { folder, current, tools: toolsFolder } = prepared()
const tools = new Tools(toolsFolder)

/** The release in another format. @returns its file, in a folder of its own */
async function made(format: 'qcow2' | 'ova'): Promise<string> {
  const own = join(folder, `made-${format}`)
  mkdirSync(own, { recursive: true })
  const disk = join(own, 'letro.img')
  copyFileSync(current.image, disk)
  const building = await BuildTools.ready(dirname(toolsFolder), new Log(join(own, 'build.log')))
  return makeFormat(building, disk, format, 0)
}

async function serves(t: ExecutionContext, name: string, options: Partial<MachineOptions>): Promise<void> {
  const own = await SiteMachine.fromStick(t, name, options)
  await own.keepsItsPromise(t)
}

test.serial('the qcow2 starts, and serves people', async t => {
  await serves(t, 'qcow2', { qcow2: await made('qcow2') })
})

test.serial('the OVA is imported, and serves people through VMware’s network card', async t => {
  const ova = await made('ova')
  const own = dirname(ova)
  const listed = execFileSync('tar', ['-tf', ova], { encoding: 'utf8' }).trim().split('\n')
  t.regex(listed[0]!, /\.ovf$/, 'the descriptor comes first')
  execFileSync('tar', ['-xf', ova, '-C', own])
  // What VMware, Proxmox and others do with such a disk.
  const imported = join(own, 'imported.qcow2')
  tools.run('qemu-img', ['convert', '-O', 'qcow2', join(own, listed[1]!), imported])
  await serves(t, 'ova', { qcow2: imported, bus: 'vmware' })
})

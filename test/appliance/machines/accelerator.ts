/**
 * KVM or software emulation? KVM may exist as a device and still not boot a kernel: QEMU then neither runs nor exits. So it
 * has to prove itself: within the time limit the kernel must say its first words.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tools } from './tools.ts'

export type Accelerator = 'kvm' | 'tcg'

const proofMs = 8_000

export async function findAccelerator(tools: Tools): Promise<Accelerator> {
  return (await kvmProvesItself(tools)) ? 'kvm' : 'tcg'
}

export const acceleratorArgs: Readonly<Record<Accelerator, readonly string[]>> = {
  kvm: ['-accel', 'kvm', '-cpu', 'host'],
  // Five levels of page tables cost time in emulation and nobody here has that much memory.
  tcg: ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max,la57=off'],
}

async function kvmProvesItself(tools: Tools): Promise<boolean> {
  try {
    if (!statSync('/dev/kvm').isCharacterDevice()) return false
  } catch {
    return false
  }
  const folder = mkdtempSync(join(tmpdir(), 'letro-kvm-'))
  const serial = join(folder, 'serial')
  const child = tools.start(
    'qemu-system-x86_64',
    [
      ...tools.qemuData.flatMap(path => ['-L', path]),
      ...['-machine', 'q35', ...acceleratorArgs.kvm, '-m', '256', '-display', 'none', '-no-reboot'],
      ...['-serial', `file:${serial}`, '-kernel', tools.kernel, '-append', 'console=ttyS0 panic=-1'],
    ],
    join(folder, 'qemu.log'),
  )
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  try {
    const end = performance.now() + proofMs
    while (performance.now() < end && child.exitCode === null) {
      await sleep(100)
      if (/Linux version/.test(contents(serial))) return true
    }
    return /Linux version/.test(contents(serial))
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/**
 * One machine: QEMU with UEFI (Secure Boot, in setup mode when new), a TPM, one disk, a serial line with a screen, a network
 * with forwarded ports on this computer's loopback and no way out.
 *
 * A machine's parts outlive its power: `disk.qcow2` (an overlay: the image stays as it was built), the firmware's variables and
 * the TPM's state lie in its folder. `cut` is a power cut: QEMU is killed. What the guest had not flushed to newly used
 * parts of its disk is then gone, for their places are only in QEMU's memory until a flush.
 */
import type { ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Accelerator, acceleratorArgs } from './accelerator.ts'
import { saidIn } from './last-said.ts'
import { Qmp } from './qmp.ts'
import type { RackSwitch } from './rack-switch.ts'
import { Screen } from './screen.ts'
import type { Tools } from './tools.ts'
import { Tpm } from './tpm.ts'

export interface MachineOptions {
  readonly tools: Tools
  readonly accelerator: Accelerator
  /** Of this machine alone; what is in it from before is its disk, firmware and TPM. */
  readonly folder: string
  /** Raw; the disk is laid over it. */
  readonly image: string
  /** The disk has nothing on it: the machine starts from a stick. */
  readonly hasEmptyDisk?: boolean
  readonly diskGiB?: number
  /** `vmware`: its network card; of its SCSI controllers this firmware knows none. */
  readonly bus?: 'virtio' | 'ahci' | 'vmware'
  /** Another name is another chip; null: none. */
  readonly tpm?: string | null
  /** As the hardware clock has it at the start: `1970-01-01T00:00:00`. */
  readonly clock?: string
  readonly memoryMiB?: number
  /** It does not say that it is virtual: as on hardware, nothing is enrolled in its firmware by itself. */
  readonly isHardware?: boolean
  /** What was made of the image for hypervisors, instead of `image`. */
  readonly qcow2?: string
  /** Plugged in from the start, by name. */
  readonly sticks?: Readonly<Record<string, string>>
  /** An ISO image in its CD drive. */
  readonly disc?: string
  /** Instead of one card that is connected as it is. */
  readonly rack?: RackSwitch
  /** What it finds on its network, as `10.0.2.100:22`: ports of this computer's loopback. There is nothing else. */
  readonly neighbours?: Readonly<Record<string, number>>
}

const relay = join(import.meta.dirname, 'relay.ts')
const defaultMemoryMiB = 2048
const forwarded = [443, 80, 8448] as const
export type ForwardedPort = (typeof forwarded)[number]

export class Machine {
  readonly options: MachineOptions
  readonly startedAt = performance.now()
  screen!: Screen
  qmp!: Qmp
  readonly #ports = new Map<number, number>()
  #child!: ChildProcess
  #tpm: Tpm | undefined
  #ended!: Promise<void>

  /** Power on. */
  static async start(options: MachineOptions): Promise<Machine> {
    const machine = new Machine(options)
    try {
      await machine.#start()
    } catch (error) {
      await machine.cut()
      throw error
    }
    return machine
  }

  private constructor(options: MachineOptions) {
    this.options = options
  }

  async #start(): Promise<void> {
    const { tools, folder, tpm = 'tpm' } = this.options
    mkdirSync(folder, { recursive: true })
    this.#makeParts()
    for (const socket of ['qmp.sock', 'serial.sock', 'tpm.sock'])
      rmSync(join(folder, socket), { force: true })
    if (tpm !== null) this.#tpm = await Tpm.start(tools, join(folder, tpm), folder)
    this.#child = tools.start('qemu-system-x86_64', this.#args(), join(folder, 'qemu.log'))
    this.#ended = new Promise(resolve => this.#child.once('close', () => resolve()))
    this.qmp = await Qmp.connect(join(folder, 'qmp.sock'), () => this.isOn)
    this.screen = await Screen.connect(join(folder, 'serial.sock'), join(folder, 'serial.log'))
    const usernet = await this.qmp.monitor('info usernet')
    for (const [, port, guest] of usernet.matchAll(/127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)/g))
      this.#ports.set(Number(guest), Number(port))
    await this.qmp.ask('cont')
  }

  #makeParts(): void {
    const { tools, folder, image, qcow2, hasEmptyDisk = false, diskGiB = 8 } = this.options
    const [disk, variables] = [join(folder, 'disk.qcow2'), join(folder, 'firmware.fd')]
    const size = `${Math.round(diskGiB * 1024)}M`
    if (!existsSync(disk)) {
      const base = hasEmptyDisk ? [] : qcow2 ? ['-b', qcow2, '-F', 'qcow2'] : ['-b', image, '-F', 'raw']
      tools.run('qemu-img', ['create', '-q', '-f', 'qcow2', ...base, disk, ...(qcow2 ? [] : [size])])
    }
    if (!existsSync(variables)) copyFileSync(tools.firmware.variables, variables)
  }

  #args(): string[] {
    const {
      tools,
      folder,
      accelerator,
      bus = 'virtio',
      clock,
      memoryMiB = defaultMemoryMiB,
      sticks = {},
      isHardware = false,
      disc,
      rack,
      neighbours = {},
    } = this.options
    const at = (name: string) => join(folder, name)
    const user = [
      'restrict=on',
      ...forwarded.map(port => `hostfwd=tcp:127.0.0.1:0-:${port}`),
      // A program for each connection: of its own accord QEMU would open one, and at the start.
      ...Object.entries(neighbours).map(
        ([place, port]) => `guestfwd=tcp:${place}-cmd:${process.execPath} ${relay} ${port}`,
      ),
    ].join(',')
    const disk = {
      virtio: 'virtio-blk-pci,drive=disk,bootindex=1',
      ahci: 'ide-hd,drive=disk,bus=ide.0,bootindex=1',
      vmware: 'ide-hd,drive=disk,bus=ide.0,bootindex=1',
    }
    const card = bus === 'vmware' ? 'vmxnet3' : 'virtio-net-pci'
    return [
      ...tools.qemuData.flatMap(path => ['-L', path]),
      ...acceleratorArgs[accelerator].map(arg =>
        isHardware ? arg.replace(/^max|^host/, '$&,-hypervisor') : arg,
      ),
      ...(isHardware ? ['-smbios', `file=${this.#hardwareBios()}`] : []),
      ...[
        '-machine',
        'q35,smm=on',
        '-smp',
        '2',
        '-m',
        String(memoryMiB),
        '-nodefaults',
        '-display',
        'none',
        '-S',
      ],
      ...['-global', 'driver=cfi.pflash01,property=secure,value=on', '-global', 'ICH9-LPC.disable_s3=1'],
      ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${tools.firmware.code}`],
      ...['-drive', `if=pflash,unit=1,format=raw,file=${at('firmware.fd')}`],
      ...['-drive', `if=none,id=disk,format=qcow2,cache=writeback,discard=unmap,file=${at('disk.qcow2')}`],
      ...['-device', disk[bus]],
      ...['-device', 'qemu-xhci,id=usb', '-device', 'usb-kbd', '-device', 'VGA', '-device', 'virtio-rng-pci'],
      ...Object.entries(sticks).flatMap(([name, image], i) => [
        ...['-blockdev', `driver=raw,node-name=${name},file.driver=file,file.filename=${image}`],
        ...[
          '-device',
          `usb-storage,bus=usb.0,id=stick-${name},drive=${name},removable=on,bootindex=${i + 2}`,
        ],
      ]),
      ...(disc
        ? [
            ...['-drive', `if=none,id=disc,format=raw,media=cdrom,readonly=on,file=${disc}`],
            ...['-device', 'ide-cd,bus=ide.2,drive=disc'],
          ]
        : []),
      ...(rack?.args(user) ?? [
        ...['-netdev', `user,id=net,${user}`, '-device', `${card},netdev=net,romfile=`],
      ]),
      ...['-chardev', `socket,id=serial,path=${at('serial.sock')},server=on,wait=off`],
      ...['-serial', 'chardev:serial', '-qmp', `unix:${at('qmp.sock')},server=on,wait=off`],
      ...['-device', 'i6300esb', '-action', 'watchdog=reset'],
      ...['-rtc', `base=${clock ?? 'utc'}`],
      ...(this.#tpm
        ? [
            ...['-chardev', `socket,id=tpm,path=${this.#tpm.socket}`],
            ...['-tpmdev', 'emulator,id=tpm,chardev=tpm', '-device', 'tpm-crb,tpmdev=tpm'],
          ]
        : []),
    ]
  }

  /** Its firmware's entry of SMBIOS (type 0): UEFI, and nothing of a virtual machine, which QEMU's own always says. */
  #hardwareBios(): string {
    const file = join(this.options.folder, 'bios.smbios')
    const [tellsCharacteristics, uefi] = [0x08, 0x0c]
    const entry = [0, 26, 0, 0, 1, 2, 0, 0xe8, 3, 0, tellsCharacteristics, 0, 0, 0, 0, 0, 0, 0, 0, uefi]
    const strings = ['Maker', '1.0', '01/01/2026', ''].join('\0')
    const noneOfController = [0, 0, 0xff, 0xff, 0, 0]
    writeFileSync(
      file,
      Buffer.concat([Buffer.from([...entry, ...noneOfController]), Buffer.from(`${strings}\0`)]),
    )
    return file
  }

  get isOn(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** How often it has started anew since it was powered on. */
  get resets(): number {
    return this.qmp.count('RESET')
  }

  /** Where a port of the machine answers on this computer. */
  port(port: ForwardedPort): number {
    const found = this.#ports.get(port)
    if (found === undefined) throw new Error(`port ${port} is not forwarded`)
    return found
  }

  /** Waits until the serial line shows it. */
  sees(pattern: RegExp, timeoutMs = 120_000): Promise<RegExpExecArray> {
    return this.screen.waitFor(pattern, timeoutMs, () => this.isOn)
  }

  type(text: string): Promise<void> {
    return this.screen.type(text)
  }

  async plug(name: string, image: string): Promise<void> {
    const node = { driver: 'raw', 'node-name': name, file: { driver: 'file', filename: image } }
    await this.qmp.ask('blockdev-add', node)
    const device = { driver: 'usb-storage', bus: 'usb.0', id: `stick-${name}`, drive: name, removable: true }
    await this.qmp.ask('device_add', device)
  }

  async unplug(name: string): Promise<void> {
    await this.qmp.ask('device_del', { id: `stick-${name}` })
    const isGone = () =>
      this.qmp.events.some(
        ({ event, data }) => event === 'DEVICE_DELETED' && data?.device === `stick-${name}`,
      )
    while (!isGone() && this.isOn) await sleep(20)
    await this.qmp.ask('blockdev-del', { 'node-name': name })
  }

  /** A cable of the rack is pulled out, or put back in. */
  async cable(number: number, isIn: boolean): Promise<void> {
    await this.qmp.ask('set_link', { name: `card-${number}`, up: isIn })
  }

  /** What its own monitor shows. */
  async picture(file: string): Promise<void> {
    await this.qmp.ask('screendump', { filename: file, format: 'png' })
  }

  /** The reset button. */
  async reset(): Promise<void> {
    await this.qmp.ask('system_reset')
  }

  /** The power button, as somebody presses it who wants it off in order. */
  async powerOff(timeoutMs = 120_000): Promise<void> {
    await this.qmp.ask('system_powerdown')
    await this.isOff(timeoutMs)
  }

  /** Waits until it has switched itself off. */
  async isOff(timeoutMs = 120_000): Promise<void> {
    const late = new AbortController()
    const limit = sleep(timeoutMs, 'late' as const, { signal: late.signal }).catch(() => 'ended' as const)
    const outcome = await Promise.race([this.#ended.then(() => 'ended' as const), limit])
    late.abort()
    if (outcome === 'late')
      throw new Error(`It is still on after ${timeoutMs / 1000} s:\n${this.screen.text}`)
    await this.#release()
  }

  /** The plug is pulled. */
  async cut(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
    await this.#release()
  }

  /** What is wanted after a failure, beside the logs: the screens as they were last, and what was said in it. */
  async keepLast(): Promise<void> {
    const { folder, memoryMiB = defaultMemoryMiB } = this.options
    if (this.screen) writeFileSync(join(folder, 'last-screen.txt'), `${this.screen.history}\n`)
    if (!this.isOn) return
    await this.picture(join(folder, 'last-screen.png')).catch(() => {})
    const said = await saidIn(this.qmp, memoryMiB, join(folder, 'memory')).catch(String)
    const events = this.qmp.events.map(event => JSON.stringify(event))
    writeFileSync(join(folder, 'last-said.log'), [...events, said].join('\n'))
  }

  async #release(): Promise<void> {
    this.qmp?.close()
    this.screen?.close()
    await this.#tpm?.stop()
  }
}

/** The machine's disks and partitions, as lsblk lists them. */
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { DiskError } from './disk-error.ts'
import { type Machine, must } from './machine.ts'

export interface Disk {
  /** /dev/sda */
  readonly path: string
  readonly sizeBytes: number
  readonly sectorBytes: number
  readonly model: string | null
  readonly serial: string | null
  /** usb, sata, nvme, virtio … */
  readonly transport: string | null
  readonly readOnly: boolean
  /** Something of it is mounted, mapped or part of a set. */
  readonly inUse: boolean
  readonly partitions: readonly Partition[]
}

export interface Partition {
  readonly path: string
  readonly sizeBytes: number
  /** Small letters. */
  readonly id: string | null
  readonly label: string | null
}

const columns = 'PATH,TYPE,SIZE,LOG-SEC,MODEL,SERIAL,TRAN,RO,PARTUUID,PARTLABEL,MOUNTPOINTS'

export async function blockDevices(machine: Pick<Machine, 'run'>): Promise<Disk[]> {
  const listed = await must(machine, 'lsblk', ['--json', '--bytes', '--tree', '--output', columns])
  const disks = parseBlockDevices(JSON.parse(listed))
  if (!disks) throw new DiskError('DISK_NOT_FOUND', 'The list of this machine’s disks cannot be read.')
  return disks
}

/** Null: this is not lsblk's answer. */
export function parseBlockDevices(json: unknown): Disk[] | null {
  const listed = isObject(json) ? json['blockdevices'] : null
  if (!Array.isArray(listed)) return null
  return listed
    .filter(isObject)
    .filter(device => device['type'] === 'disk' && text(device['path']) !== null)
    .map(device => ({
      path: String(device['path']),
      sizeBytes: Number(device['size'] ?? 0),
      sectorBytes: Number(device['log-sec'] ?? 512),
      model: text(device['model']),
      serial: text(device['serial']),
      transport: text(device['tran']),
      readOnly: device['ro'] === true,
      inUse: isUsed(device, true),
      partitions: childrenOf(device)
        .filter(({ type }) => type === 'part')
        .map(part => ({
          path: String(part['path']),
          sizeBytes: Number(part['size'] ?? 0),
          id: text(part['partuuid'])?.toLowerCase() ?? null,
          label: text(part['partlabel']),
        })),
    }))
}

/** Mounted, or with something on it that is no partition: a mapping, a volume, a set. */
function isUsed(device: JsonObject, isDisk: boolean): boolean {
  const mounted = device['mountpoints']
  if (Array.isArray(mounted) && mounted.some((at: Json) => at !== null)) return true
  return childrenOf(device).some(child => (isDisk && child['type'] === 'part' ? isUsed(child, false) : true))
}

function childrenOf(device: JsonObject): JsonObject[] {
  const { children } = device
  return Array.isArray(children) ? children.filter(isObject) : []
}

function text(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const plain = value.replaceAll(/[\p{Cc}\p{Cf}]/gu, '').trim()
  return plain === '' ? null : plain.slice(0, 80)
}

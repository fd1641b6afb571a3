/** The ports of this machine as they are now, for screens: read from the kernel, changed by nothing here. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { basename, join } from 'node:path'
import type { Machine } from '../program.ts'
import { dnsServersIn } from './networkd.ts'

export interface Link {
  readonly name: string
  readonly mac: string
  /** null: it is none of hardware, such as a bond. */
  readonly driver: string | null
  readonly speedMbit: number | null
  /** A cable is in, and the other end is there. */
  readonly carrier: boolean
  /** What is made of it: a bond, a VLAN. Addresses are then there. */
  readonly carries: string | null
  /** With their prefixes. */
  readonly addresses: readonly string[]
}

/** Ethernet and what is made of it; by name. */
export function links({ root }: Pick<Machine, 'root'>): Link[] {
  const folder = join(root, '/sys/class/net')
  const addresses = networkInterfaces()
  return entriesOf(folder)
    .filter(name => name !== 'lo' && textOf(join(folder, name, 'type')) === '1')
    .sort()
    .map(name => {
      const speed = Number(textOf(join(folder, name, 'speed')) ?? -1)
      return {
        name,
        mac: textOf(join(folder, name, 'address')) ?? '',
        driver: driverOf(join(folder, name)),
        speedMbit: speed > 0 ? speed : null,
        carrier: textOf(join(folder, name, 'carrier')) === '1',
        carries: upperOf(join(folder, name)),
        addresses: (addresses[name] ?? []).flatMap(({ cidr, address }) => cidr ?? address),
      }
    })
}

/** Those in force, from the settings or from whoever gave this machine its address. */
export function dnsServers({ root }: Pick<Machine, 'root'>): string[] {
  return [...new Set(dnsServersIn(textOf(join(root, '/run/systemd/netif/state')) ?? ''))]
}

function driverOf(folder: string): string | null {
  try {
    return basename(readlinkSync(join(folder, 'device/driver')))
  } catch {
    return null
  }
}

function upperOf(folder: string): string | null {
  const prefix = 'upper_'
  return (
    entriesOf(folder)
      .find(entry => entry.startsWith(prefix))
      ?.slice(prefix.length) ?? null
  )
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The kernel refuses to tell the speed and carrier of a port that is down. */
function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

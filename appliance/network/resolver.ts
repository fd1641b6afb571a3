/**
 * /etc/resolv.conf: a link to a file under /run that is written here, from the name servers that networkd has (by DHCP, router
 * advertisements or settings). No systemd-resolved: one resident program less, and each program's questions leave under its
 * own user, which the firewall checks. The C library reads the file again when it changes.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NetworkSettings } from '#protocol/network-settings.ts'
import type { Machine } from '../program.ts'
import { writeWhole } from '../whole-file.ts'

export function resolvConf(servers: readonly string[], { dns }: Pick<NetworkSettings, 'dns'>): string {
  // Those that were decided come first; the C library asks no more than three.
  const asked = [...new Set([...dns.servers, ...servers])].slice(0, 3)
  return [
    '# Made by Letro from the network settings and what networkd was told.',
    ...asked.map(server => `nameserver ${server}`),
    ...(dns.search.length > 0 ? [`search ${dns.search.join(' ')}`] : []),
    'options timeout:2 attempts:2 edns0',
    '',
  ].join('\n')
}

/** Written only where something changed: programs read it again then. */
export function writeResolvConf({ paths }: Pick<Machine, 'paths'>, text: string): void {
  const file = join(paths.run, 'resolv.conf')
  try {
    if (readFileSync(file, 'utf8') === text) return
  } catch {
    // It is not there yet.
  }
  mkdirSync(paths.run, { recursive: true, mode: 0o755 })
  writeWhole(file, text, 0o644)
}

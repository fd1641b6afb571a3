/** The letro.toml of a site that came back from a backup: what it ran with, save what lay outside of its data folder. */
import { chownSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { serverUser } from '../../paths.ts'
import { syncFolder, writeWhole } from '../../whole-file.ts'

/** Whole or not at all: with this file the site is there. */
export async function writeRestoredToml(
  file: string,
  configuration: JsonObject,
  serverName: string,
): Promise<void> {
  const text = restoredToml(configuration, serverName, join(dirname(file), 'data'))
  writeWhole(`${file}.restored`, text)
  if (process.getuid?.() === 0) chownSync(`${file}.restored`, serverUser.id, serverUser.id)
  renameSync(`${file}.restored`, file)
  syncFolder(dirname(file))
}

/** @param configuration configuration-of-backup.json: its `shown` has each key and its value as it stood in the file */
export function restoredToml(configuration: JsonObject, serverName: string, data: string): string {
  const { shown } = configuration
  const kept = new Map<string, string>([
    ['server.name', JSON.stringify(serverName)],
    ['server.data', JSON.stringify(data)],
  ])
  for (const setting of Array.isArray(shown) ? shown.filter(isObject) : []) {
    const { key, value, from } = setting
    if (typeof key !== 'string' || typeof value !== 'string' || !/^[a-z_]+\.[a-z_]+$/.test(key)) continue
    if (kept.has(key) || (from !== 'file' && from !== 'environment')) continue
    // A path: it was on the old machine.
    if (/^"[^"]*\/[^"]*"$/.test(value) && key !== 'server.origin') continue
    kept.set(key, value)
  }
  // Where something else spoke TLS for it, an appliance does it itself, once the certificate was brought.
  if (!kept.has('tls.authority')) {
    kept.set('tls.authority', '"organisation"')
    kept.set('listen.client', '"[::]:443"')
  }
  const sections = new Map<string, string[]>()
  for (const [key, value] of kept) {
    const [section, name] = key.split('.') as [string, string]
    sections.set(section, [...(sections.get(section) ?? []), `${name} = ${value}`])
  }
  return `# Letro's configuration, as it stood in the backup that this site was restored from.\n\n${[
    ...sections,
  ]
    .map(([section, lines]) => `[${section}]\n${lines.join('\n')}\n`)
    .join('\n')}`
}

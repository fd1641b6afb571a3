/** What this slot is: release.json in the sealed root. */
import { readFile } from 'node:fs/promises'
import { parseReportedRelease, type ReportedRelease } from '#protocol/machine-report.ts'
import type { Machine } from './machine.ts'

/** Throws where it is not there or not whole: an image that was built wrong. */
export async function thisRelease(machine: Pick<Machine, 'paths'>): Promise<ReportedRelease> {
  const release = parseReportedRelease(JSON.parse(await readFile(machine.paths.release, 'utf8')))
  if (!release) throw new TypeError(`${machine.paths.release} does not say which release this is`)
  return release
}

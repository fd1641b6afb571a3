/**
 * The machine that an appliance runs on, as its own report says: releases that did not prove themselves, Secure Boot, the TPM.
 *
 * Only where `appliance.report` is set. A report that cannot be read makes this source fail, and health says so.
 */
import { readFile } from 'node:fs/promises'
import type { JsonObject } from '../protocol/json.ts'
import { failedImage, type MachineReport, parseMachineReport } from '../protocol/machine-report.ts'
import type { Finding, HealthSource, Reading } from './finding.ts'

export interface Appliance {
  readonly source: HealthSource
  readonly reading: Reading
}

export function openAppliance(file: string): Appliance {
  return {
    source: async () => findingsOf(await readReport(file)),
    reading: async () => shown(await readReport(file)),
  }
}

/** It was far ahead at the start, and nobody has said since that it is right. null: there is no report that could be read. */
export async function isClockDoubted(file: string): Promise<boolean | null> {
  return readReport(file).then(
    ({ clock }) => clock === 'ahead',
    () => null,
  )
}

async function readReport(file: string): Promise<MachineReport> {
  const report = parseMachineReport(JSON.parse(await readFile(file, 'utf8')))
  if (!report) throw new TypeError(`${file} is not a machine report`)
  return report
}

export function findingsOf(report: MachineReport): Finding[] {
  const { release, secureBoot, tpm, data } = report
  const findings: Finding[] = []
  const failed = failedImage(report)
  if (failed) {
    const facts = { failed: failed.version, running: release.version }
    findings.push({ code: 'appliance.went-back', severity: 'warning', facts })
  }
  if (release.development) findings.push({ code: 'appliance.development', severity: 'note', facts: {} })
  if (secureBoot !== 'on') {
    findings.push({ code: 'appliance.secure-boot-off', severity: 'warning', facts: { state: secureBoot } })
  }
  // A sealed disk that the TPM did not open needs somebody at every start from now on, in the middle of the night as well.
  if (data.sealed && data.state === 'open' && (tpm === 'absent' || data.openedBy === 'recovery-key')) {
    findings.push({ code: 'appliance.tpm-failed', severity: 'alarm', facts: { tpm } })
  } else if (tpm === 'absent') {
    findings.push({ code: 'appliance.tpm-absent', severity: 'note', facts: {} })
  }
  return findings
}

function shown({ release, slots, secureBoot, tpm, data }: MachineReport): JsonObject {
  return {
    version: release.version,
    development: release.development,
    slot: slots.running,
    images: slots.images.map(({ version, state, triesLeft, running }) => ({
      version,
      state,
      tries_left: triesLeft,
      running,
    })),
    secure_boot: secureBoot,
    tpm,
    data: { state: data.state, opened_by: data.openedBy, sealed: data.sealed },
  }
}

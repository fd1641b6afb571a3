/** letro-report.service: writes /run/letro/machine.json, whole or not at all. */
import { rename, writeFile } from 'node:fs/promises'
import { thisMachine } from './machine.ts'
import { machineReport } from './report.ts'

const machine = thisMachine()
const file = machine.paths.machineReport
await writeFile(`${file}.next`, `${JSON.stringify(await machineReport(machine))}\n`, { mode: 0o644 })
await rename(`${file}.next`, file)

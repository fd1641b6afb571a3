/** A site out of answers: those of a stick, or those typed here. appliance/stick does it whole or not at all. */
import type { Machine as SystemMachine } from '../../program.ts'
import { type Applied, applyAnswers, applyStick, checkAnswers, startSite } from '../../stick/apply.ts'
import { readStick } from '../../stick/stick.ts'
import { type Machine, MachineRefused } from '../machine.ts'

/** @param awaitsCertificate whether the site that was set up has to get its certificate first */
export function setUpActs(
  system: SystemMachine,
  awaitsCertificate: () => boolean,
): Pick<Machine, 'readStick' | 'applyStick' | 'setUpSite'> {
  let shown: string | null = null
  const begun = async (applied: Applied) => {
    await startSite(system, applied)
    return { awaitsCertificate: awaitsCertificate(), lines: applied.lines }
  }
  return {
    readStick: async () => {
      shown = null
      const read = await readStick(system)
      switch (read.kind) {
        case 'none':
          return null
        case 'several':
          throw new MachineRefused('STICK_SEVERAL', read.sentence)
        case 'refused':
          throw new MachineRefused(read.code, read.sentence, read.problems)
        case 'offer': {
          const { fingerprint, signature, siteExists, lines } = read.offer
          shown = fingerprint.join(' ')
          return { fingerprint, signature, siteExists, says: lines }
        }
        default:
          return read satisfies never
      }
    },
    applyStick: async ({ fingerprint }) => {
      // What was approved is what is applied.
      if (shown === null || shown !== fingerprint.join(' '))
        throw new MachineRefused('STICK_CHANGED', 'This is not the stick that was shown. Read it again.')
      return begun(await applyStick(system))
    },
    setUpSite: async ({ answers }) => {
      const problems = await checkAnswers(system, answers)
      if (problems.length > 0)
        throw new MachineRefused('ANSWERS_WRONG', 'The answers cannot be used. Nothing was set up.', problems)
      return begun(await applyAnswers(system, answers))
    },
  }
}

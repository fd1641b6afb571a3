/** Does what the core asks of the machine, and brings back how it went: as a result, whatever happens. */
import type { Effect, News } from './console.ts'
import { type Machine, MachineRefused, type Tell } from './machine.ts'

export async function perform(
  machine: Machine,
  { id, method, input }: Effect,
  news: (news: News) => void,
  clock: () => number,
): Promise<void> {
  const tell: Tell = progress => news({ kind: 'progress', id, progress })
  const run = machine[method] as (input: unknown, tell: Tell) => Promise<unknown>
  try {
    const value = await run.call(machine, input, tell)
    news({ kind: 'result', id, result: { ok: true, value, now: clock() } })
  } catch (error) {
    news({ kind: 'result', id, result: { ok: false, ...inWords(error), now: clock() } })
  }
}

function inWords(error: unknown) {
  if (error instanceof MachineRefused)
    return { code: error.code, sentence: error.message, problems: error.problems }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNEXPECTED'
  // Areas of the appliance throw errors whose sentence is for people; anything else is a fault of ours.
  const isForPeople = error instanceof Error && 'code' in error && /^[A-Z]+_[A-Z_]+$/.test(code)
  return {
    code,
    sentence: isForPeople
      ? error.message
      : `This did not work, for a reason that was not foreseen (${code}).`,
    problems: [],
  }
}

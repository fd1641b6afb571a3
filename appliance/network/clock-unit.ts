/** The program of letro-clock.service: `start` when the data is open, `remember` every quarter of an hour and at the stop. */
import { thisMachine } from '../program.ts'
import { guardClock, rememberClock, writeChrony } from './clock.ts'
import { readTime } from './settings.ts'

const machine = thisMachine()
if (process.argv[2] === 'remember') await rememberClock(machine, Date.now())
else {
  // Whatever becomes of the clock: chronyd needs its configuration.
  try {
    writeChrony(machine, readTime(machine))
  } catch {
    writeChrony(machine, { servers: [], nts: false })
  }
  const { state, foundTs, setTs } = await guardClock(machine, Date.now())
  const found = new Date(foundTs).toISOString()
  if (state === 'behind')
    process.stderr.write(
      `The clock was behind (${found}); it was set to ${new Date(setTs!).toISOString()}.\n`,
    )
  if (state === 'ahead')
    process.stderr.write(`The clock is far ahead (${found}): it is in doubt until somebody confirms it.\n`)
}

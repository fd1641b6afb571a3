/** The program of letro-clock.service: `start` before chronyd runs, `remember` every quarter of an hour and at the stop. */
import { thisMachine } from '../program.ts'
import { rememberClock, writeChrony } from './clock.ts'
import { readTime } from './settings.ts'

const machine = thisMachine()
if (process.argv[2] === 'remember') await rememberClock(machine, Date.now())
else {
  // Whatever becomes of the settings: chronyd needs its configuration.
  try {
    writeChrony(machine, readTime(machine))
  } catch (error) {
    console.error('the time sources could not be read: none is asked', error)
    writeChrony(machine, { servers: [], nts: false })
  }
}

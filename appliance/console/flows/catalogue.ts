/** All flows by name, and which one the console stands on when nobody is there. */
import type { Flows } from '../console.ts'
import type { Facts } from '../machine.ts'
import { backup } from './backup.ts'
import { certificate } from './certificate.ts'
import { enrolment } from './enrolment.ts'
import { factoryReset } from './factory-reset.ts'
import { firstStart } from './first-start.ts'
import { home, waiting } from './home.ts'
import { install } from './install.ts'
import { menu } from './menu.ts'
import { network } from './network.ts'
import { pin } from './pin.ts'
import { power } from './power.ts'
import { stickSettings } from './provisioning-stick.ts'
import { recover } from './recover.ts'
import { recovery } from './recovery.ts'
import { secureBoot } from './secure-boot.ts'
import { time } from './time.ts'
import { restartForUpdate, update } from './update.ts'
import { health, licences, maintenance, outOfService } from './words.ts'

export const flows: Flows = {
  base: baseOf,
  makers: {
    home,
    waiting,
    'first-start': firstStart,
    recovery,
    menu,
    enrolment,
    health,
    maintenance,
    'out-of-service': outOfService,
    network,
    time,
    update,
    'restart-for-update': restartForUpdate,
    backup,
    certificate,
    recover,
    stick: stickSettings,
    pin,
    'secure-boot': secureBoot,
    install,
    power,
    'factory-reset': factoryReset,
    licences,
  },
}

function baseOf({ disk, site }: Facts): string {
  switch (disk.state) {
    case 'waiting':
      return 'waiting'
    case 'locked':
    case 'damaged':
      return 'recovery'
    case 'new':
      return 'first-start'
    case 'open':
      return site === null ? 'first-start' : 'home'
    default:
      return disk.state satisfies never
  }
}

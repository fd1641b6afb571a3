import type { AdministrationAreas } from '../administration.ts'
import { admin } from './admin.ts'
import { configuration } from './configuration.ts'
import { findings } from './findings.ts'
import { people } from './people.ts'
import { site } from './site.ts'
import { updates } from './updates.ts'
import { upkeep } from './upkeep.ts'

export const administration: AdministrationAreas = {
  admin,
  configuration,
  people,
  site,
  findings,
  updates,
  upkeep,
}

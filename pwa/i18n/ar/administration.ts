import type { AddedAreas } from '../administration.ts'
import type { Catalogue } from '../catalogue.ts'
import { admin } from './admin.ts'
import { configuration } from './configuration.ts'
import { findings } from './findings.ts'
import { people } from './people.ts'
import { site } from './site.ts'
import { updates } from './updates.ts'
import { upkeep } from './upkeep.ts'

export const administration: Catalogue<AddedAreas> = {
  admin,
  configuration,
  people,
  site,
  findings,
  updates,
  upkeep,
}

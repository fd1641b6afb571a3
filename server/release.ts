/** Which release this is, as package.json says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const release = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  readonly version: string
}

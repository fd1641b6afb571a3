/**
 * What an area hands to health: a source of findings, and where it has numbers to show, of a reading.
 *
 * A source says what is the case now; who was told of it, when it came and that it is over is health's business. It may read
 * the store, but answers within seconds (health waits no longer, and says which source failed).
 */
import type { Finding } from '../protocol/finding.ts'
import type { JsonObject } from '../protocol/json.ts'

export {
  type Finding,
  type FindingCode,
  findingCodes,
  findingKey,
  type Severity,
  severities,
  worstFirst,
} from '../protocol/finding.ts'

/** `now`: milliseconds since 1970, from the server's clock. Nothing to say: an empty list. */
export type HealthSource = (now: number) => Promise<readonly Finding[]>

/** What stands under its name in the answer of the administration API. Null: there is no such thing here. */
export type Reading = (now: number) => Promise<JsonObject | null>

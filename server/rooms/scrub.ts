/**
 * What of stored events can be recomputed: their ids, their content hashes and the index from id to row. For the
 * store's scrub: checksums tell that a row is what was written, this tells that it is the event.
 */
import { contentHash, eventIdOfText } from '../protocol/event-hash.ts'
import { eventContents, eventPositions, eventSkeletons } from '../store/catalogue.ts'
import type { ScrubCheck } from '../store/scrub.ts'
import type { Finding, Position } from '../store/store.ts'
import { sha256 } from './primitives.ts'
import { type DecodedEvent, decodeEvent } from './stored-event.ts'

export const checkEvents: ScrubCheck = (rows, getMany) => {
  const skeletons = rows.filter(({ table }) => table === eventSkeletons.name)
  const positions = skeletons.map(({ key }) => eventSkeletons.parts(key)[0] as Position)
  const contents = getMany(positions.map(position => eventContents.key(position)))
  const events: DecodedEvent[] = []
  const findings: Finding[] = []
  const found = (message: string) => void findings.push({ kind: 'event', message })
  for (const [i, { value }] of skeletons.entries()) {
    const event = decoded(positions[i]!, value as string, contents[i] as string | undefined)
    if (event === 'unreadable') found('A stored event cannot be read.')
    else if (event.kind === 'event') events.push(event)
  }
  const indexed = getMany(events.map(({ facts }) => eventPositions.key(facts.eventId)))
  for (const [i, event] of events.entries()) {
    const damage = damageOf(event)
    if (damage) found(`A stored event is not what it was: ${damage}.`)
    else if (indexed[i] !== event.position) found('A stored event is not found by its id.')
  }
  return findings
}

/** Why these rows are not the event whose id they bear; null if they are. */
export function damageOf({ essential, facts, pdu, isCut }: DecodedEvent): string | null {
  if (eventIdOfText(essential, sha256) !== facts.eventId) return 'its id is not the hash of what is stored'
  // Redacted or purged content, or content that came with a wrong hash, has nothing to be held against.
  if (isCut || facts.flags.cutOnReceipt) return null
  return contentHash(pdu, sha256) === pdu.hashes.sha256 ? null : 'its content is not what was hashed'
}

function decoded(position: Position, skeleton: string, content: string | undefined) {
  try {
    return decodeEvent(position, skeleton, content)
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable'
    throw error
  }
}

/** Power levels that `RoomView` does not answer itself. Spec: client-server-api#mroompower_levels */
import { isObject } from '../protocol/json.ts'
import { defaultLevels, type NamedLevel } from './power-levels.ts'
import type { RoomView } from './rooms.ts'

/** The level that this kind of act needs in the room. */
export function namedLevel(view: Pick<RoomView, 'state'>, name: NamedLevel): number {
  const level = view.state('m.room.power_levels')?.content[name]
  return Number.isSafeInteger(level) ? (level as number) : defaultLevels[name]
}

/** The level that a state event of this type needs. */
export function stateLevel(view: Pick<RoomView, 'state'>, type: string): number {
  const events = view.state('m.room.power_levels')?.content['events']
  const level = isObject(events) ? events[type] : undefined
  return Number.isSafeInteger(level) ? (level as number) : namedLevel(view, 'state_default')
}

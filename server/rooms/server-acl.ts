/**
 * Which servers a room's ACL lets take part.
 *
 * Globs are matched without a regular expression, in time proportional to pattern × name, and names and patterns are
 * short: nobody can make a room costly for others by its ACL. The list itself is read once for each state event.
 *
 * Spec: client-server-api#mroomserver_acl, server-server-api#server-access-control-lists-acls
 */
import type { ServerName } from '../protocol/ids.ts'
import { isIpLiteral } from '../protocol/ip-literal.ts'
import { isObject, type JsonObject, memberOf } from '../protocol/json.ts'
import type { RoomEvent, RoomView } from './rooms.ts'

export const serverAclType = 'm.room.server_acl'

interface ServerAcl {
  allows(server: ServerName): boolean
}

const read = new WeakMap<RoomEvent, ServerAcl>()
const open: ServerAcl = { allows: () => true }

export function serverAcl(view: Pick<RoomView, 'state'>): ServerAcl {
  const event = view.state(serverAclType)
  if (!event) return open
  let acl = read.get(event)
  if (!acl) {
    acl = parseServerAcl(event.content)
    read.set(event, acl)
  }
  return acl
}

export function parseServerAcl(content: JsonObject): ServerAcl {
  const allow = globsIn(content, 'allow')
  const deny = globsIn(content, 'deny')
  // Spec: a value that is no boolean counts as the default, which is true.
  const allowsIpLiterals = memberOf(content, 'allow_ip_literals') !== false
  const answers = new Map<ServerName, boolean>()
  return {
    allows(server) {
      const known = answers.get(server)
      if (known !== undefined) return known
      const host = hostOf(server)
      const answer =
        (allowsIpLiterals || !isIpLiteral(host)) &&
        !deny.some(glob => matches(glob, host)) &&
        allow.some(glob => matches(glob, host))
      if (answers.size < 1_000) answers.set(server, answer)
      return answer
    },
  }
}

/** Spec: the port is ignored. */
export function hostOf(server: string): string {
  return server.replace(/:[0-9]{1,5}$/, '').toLowerCase()
}

/** What is no string matches nothing; longer than any server name neither. */
function globsIn(content: JsonObject, field: string): string[] {
  const list = isObject(content) ? memberOf(content, field) : undefined
  if (!Array.isArray(list)) return []
  return list.flatMap(glob =>
    typeof glob === 'string' && glob.length <= 255 ? [glob.toLowerCase().replace(/\*+/g, '*')] : [],
  )
}

/** `*`: any characters or none; `?`: exactly one. Goes back to the last star alone: never exponential. */
function matches(glob: string, text: string): boolean {
  let g = 0
  let t = 0
  let star = -1
  let restart = 0
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++
      restart = t
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++
      t++
    } else if (star >= 0) {
      g = star + 1
      t = ++restart
    } else return false
  }
  while (glob[g] === '*') g++
  return g === glob.length
}

/**
 * Key backup: versions, and the sessions in them.
 *
 * Spec: client-server-api#server-side-key-backups
 */
import { Readable } from 'node:stream'
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody, parseBodyUpTo } from '../http/body.ts'
import { queryText, roomId } from '../http/fields.ts'
import { missingParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import {
  type BackupScope,
  type BackupSession,
  type KeyBackups,
  parseBackupRoom,
  parseBackupRooms,
  parseBackupSession,
} from '../keys/key-backup.ts'

export interface KeyBackupRoutesDeps {
  readonly accounts: TokenReader
  readonly backups: KeyBackups
}

/** 10,000 sessions of 600 bytes fit well. */
const maxUploadBytes = 16 * 1024 * 1024

export function keyBackupRoutes({ accounts, backups }: KeyBackupRoutesDeps): Route[] {
  const authenticate = requireAccessToken(accounts)
  const steps = (...last: Step[]) => [authenticate, limit('keys'), ...last]
  const parseSessions = parseBodyUpTo(maxUploadBytes)
  const versions = '/_matrix/client/v3/room_keys/version'
  const keys = '/_matrix/client/v3/room_keys/keys'
  const room = `${keys}/:roomId`
  const session = `${room}/:sessionId`
  return [
    { method: 'POST', path: versions, steps: steps(parseBody, createVersion(backups)) },
    { method: 'GET', path: versions, steps: steps(readVersion(backups)) },
    { method: 'GET', path: `${versions}/:version`, steps: steps(readVersion(backups)) },
    { method: 'PUT', path: `${versions}/:version`, steps: steps(parseBody, updateVersion(backups)) },
    { method: 'DELETE', path: `${versions}/:version`, steps: steps(removeVersion(backups)) },
    { method: 'PUT', path: keys, steps: steps(parseSessions, putSessions(backups, sessionsOfRooms)) },
    { method: 'PUT', path: room, steps: steps(parseSessions, putSessions(backups, sessionsOfRoom)) },
    { method: 'PUT', path: session, steps: steps(parseBody, putSessions(backups, oneSession)) },
    { method: 'GET', path: keys, steps: steps(readSessions(backups)) },
    { method: 'GET', path: room, steps: steps(readSessions(backups)) },
    { method: 'GET', path: session, steps: steps(readSession(backups)) },
    { method: 'DELETE', path: keys, steps: steps(removeSessions(backups)) },
    { method: 'DELETE', path: room, steps: steps(removeSessions(backups)) },
    { method: 'DELETE', path: session, steps: steps(removeSessions(backups)) },
  ]
}

// ── versions ─────────────────────────────────────────────────────────────────────────────────────────

function createVersion(backups: KeyBackups): Step {
  return async function createVersion(ctx) {
    ctx.body = { version: await backups.create(ctx.state.requester.userId, ctx.state.body) }
  }
}

function readVersion(backups: KeyBackups): Step {
  return async function readVersion(ctx) {
    ctx.body = await backups.info(ctx.state.requester.userId, ctx.state.params['version'])
  }
}

function updateVersion(backups: KeyBackups): Step {
  return async function updateVersion(ctx) {
    await backups.update(ctx.state.requester.userId, ctx.state.params['version']!, ctx.state.body)
    ctx.body = {}
  }
}

function removeVersion(backups: KeyBackups): Step {
  return async function removeVersion(ctx) {
    await backups.remove(ctx.state.requester.userId, ctx.state.params['version']!)
    ctx.body = {}
  }
}

// ── sessions ─────────────────────────────────────────────────────────────────────────────────────────

function putSessions(backups: KeyBackups, parse: (ctx: Context) => readonly BackupSession[]): Step {
  return async function putSessions(ctx) {
    ctx.body = await backups.put(ctx.state.requester.userId, needVersion(ctx), parse(ctx))
  }
}

function sessionsOfRooms(ctx: Context): readonly BackupSession[] {
  return parseBackupRooms(ctx.state.body)
}

function sessionsOfRoom(ctx: Context): readonly BackupSession[] {
  return parseBackupRoom(ctx.state.body, needRoom(ctx))
}

function oneSession(ctx: Context): readonly BackupSession[] {
  return [parseBackupSession(ctx.state.body, needRoom(ctx), ctx.state.params['sessionId']!)]
}

function readSession(backups: KeyBackups): Step {
  return async function readSession(ctx) {
    const { userId } = ctx.state.requester
    ctx.body = await backups.session(userId, needVersion(ctx), needRoom(ctx), ctx.state.params['sessionId']!)
  }
}

/** `{ rooms }`, or `{ sessions }` of one room, written as they are read. */
function readSessions(backups: KeyBackups): Step {
  return async function readSessions(ctx) {
    const scope = scopeOf(ctx)
    const portions = await backups.sessions(ctx.state.requester.userId, needVersion(ctx), scope)
    ctx.body = Readable.from(scope.roomId === undefined ? writeRooms(portions) : writeRoom(portions))
  }
}

async function* writeRooms(portions: AsyncIterable<readonly BackupSession[]>): AsyncGenerator<string> {
  let room: string | undefined
  let text = '{"rooms":{'
  for await (const portion of portions) {
    for (const { roomId, sessionId, data } of portion) {
      if (roomId === room) text += ','
      else text += `${room === undefined ? '' : '}},'}${JSON.stringify(roomId)}:{"sessions":{`
      room = roomId
      text += `${JSON.stringify(sessionId)}:${JSON.stringify(data)}`
    }
    yield text
    text = ''
  }
  yield `${text}${room === undefined ? '' : '}}'}}}`
}

async function* writeRoom(portions: AsyncIterable<readonly BackupSession[]>): AsyncGenerator<string> {
  let first = true
  let text = '{"sessions":{'
  for await (const portion of portions) {
    for (const { sessionId, data } of portion) {
      text += `${first ? '' : ','}${JSON.stringify(sessionId)}:${JSON.stringify(data)}`
      first = false
    }
    yield text
    text = ''
  }
  yield `${text}}}`
}

function removeSessions(backups: KeyBackups): Step {
  return async function removeSessions(ctx) {
    ctx.body = await backups.removeSessions(ctx.state.requester.userId, needVersion(ctx), scopeOf(ctx))
  }
}

function scopeOf(ctx: Context): BackupScope {
  const { roomId: room, sessionId } = ctx.state.params
  if (room === undefined) return {}
  return sessionId === undefined ? { roomId: needRoom(ctx) } : { roomId: needRoom(ctx), sessionId }
}

function needRoom(ctx: Context) {
  return roomId(ctx.state.params['roomId'], 'The room in the path')
}

function needVersion(ctx: Context): string {
  const version = queryText(ctx.query, 'version')
  if (version === undefined) throw missingParam('version')
  return version
}

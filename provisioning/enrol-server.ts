/** What `letro enrol` asks of the server, and what it gets (server/admin-api/README.md). */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import type { ServerConnection } from './server-connection.ts'
import type { SheetLanguage } from './sheet-texts.ts'

const lookAgainMs = 500

export interface Invited {
  readonly userId: string
  readonly displayName?: string
  readonly link: string
  readonly code?: string
  readonly expiresTs: number
  readonly language?: SheetLanguage
}

export interface SiteFacts {
  readonly serverName: string
  readonly origin: string
  readonly trustPage: string | null
  readonly authority: { readonly fingerprint: string; readonly words: readonly string[] } | null
  /** A username, or the whole user id. */
  userIdOf(name: string): string
  invited(person: ImportedPerson): Invited
}

export interface ImportedPerson {
  readonly line: number
  readonly user_id: string
  readonly kind: string
  readonly display_name?: string
  readonly language?: SheetLanguage
  readonly link?: string
  readonly code?: string
  readonly link_expires_ts?: number
}

interface Facts {
  readonly kind: string
  readonly expires_ts?: number
  readonly sponsor?: string
}

export interface ImportReport {
  readonly new: readonly ImportedPerson[]
  readonly waiting: readonly ImportedPerson[]
  readonly changed: readonly (ImportedPerson & { readonly from: Facts; readonly to: Facts })[]
  readonly leavers: readonly { readonly user_id: string; readonly kind: string; readonly locked: boolean }[]
  readonly unchanged: number
  readonly problems: readonly { readonly line: number; readonly column?: string; readonly message: string }[]
}

export interface OpenLink {
  readonly id: string
  readonly user_id: string
  readonly purpose: string
  readonly kind: string
  readonly expires_ts: number
}

export async function siteOf(server: ServerConnection): Promise<SiteFacts> {
  const site = await server.ask('GET', '/site')
  const serverName = String(site['server_name'])
  const authority = site['authority'] as { fingerprint_sha256: string; words: readonly string[] } | null
  return {
    serverName,
    origin: String(site['origin']),
    trustPage: site['trust_page'] as string | null,
    authority: authority && { fingerprint: authority.fingerprint_sha256, words: authority.words },
    userIdOf: name => (name.startsWith('@') ? name : `@${name.toLowerCase()}:${serverName}`),
    invited: person => ({
      userId: person.user_id,
      link: person.link!,
      expiresTs: person.link_expires_ts!,
      ...(person.code === undefined ? {} : { code: person.code }),
      ...(person.display_name === undefined ? {} : { displayName: person.display_name }),
    }),
  }
}

export async function invite(
  server: ServerConnection,
  site: SiteFacts,
  name: string,
  { sponsor, ...body }: JsonObject,
): Promise<Invited> {
  const by = typeof sponsor === 'string' ? { sponsor: site.userIdOf(sponsor) } : {}
  return invitedOf(
    await server.ask('POST', '/enrolment-links', { user_id: site.userIdOf(name), ...body, ...by }),
  )
}

export async function inviteAgain(
  server: ServerConnection,
  site: SiteFacts,
  name: string,
  body: JsonObject,
): Promise<Invited> {
  const path = `/people/${encodeURIComponent(site.userIdOf(name))}/re-enrolment`
  return invitedOf(await server.ask('POST', path, body))
}

/** What is wrong with a list is an answer, too: without `apply` the server looks at all of it. */
export async function importList(server: ServerConnection, body: JsonObject): Promise<ImportReport> {
  return (await server.ask('POST', '/people/import', body)) as unknown as ImportReport
}

/** The same while it is told how far it is. A long list takes a minute, and is done batch by batch. */
export async function applyList(
  server: ServerConnection,
  body: JsonObject,
  progress: (done: number, total: number) => void,
): Promise<ImportReport> {
  let isDone = false
  const applied = importList(server, { ...body, apply: true }).finally(() => {
    isDone = true
  })
  const ended = applied.then(
    () => {},
    () => {},
  )
  for (;;) {
    await Promise.race([ended, new Promise(resolve => setTimeout(resolve, lookAgainMs))])
    if (isDone) return applied
    // A look that fails says nothing about the list.
    const running = await server.ask('GET', '/people/import').then(
      answer => answer['running'],
      () => null,
    )
    if (isObject(running)) progress(Number(running['done']), Number(running['total']))
  }
}

export async function openLinks(server: ServerConnection): Promise<readonly OpenLink[]> {
  return (await server.ask('GET', '/enrolment-links'))['links'] as unknown as readonly OpenLink[]
}

function invitedOf(answer: JsonObject): Invited {
  const { user_id: userId, link, code, expires_ts: expiresTs } = answer
  if (typeof link !== 'string') throw new CommandFailed('The server made no link.', exitCodes.impossible)
  return {
    userId: String(userId),
    link,
    expiresTs: Number(expiresTs),
    ...(typeof code === 'string' ? { code } : {}),
  }
}

/**
 * Command lines: an administrator lets `letro` on some machine administer for them, for eight hours at most.
 *
 * The command asks to begin and shows a short code; the administrator types it into the app and confirms with a passkey;
 * the command, which waits, collects its token. (The shape of RFC 8628, the OAuth 2.0 device grant.) What waits is held in
 * memory: after a restart people begin again. A token is a row, and is worth something while its administrator is one.
 */
import type { UserId } from '../protocol/ids.ts'
import { accountTable, type CommandLineRow, commandLineTable } from '../store/catalogue.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import { type Core, hashSecret, newSecret } from './core.ts'

/** `read`: sees everything that the administration API shows, changes nothing. */
export type CommandScope = 'read' | 'manage'

export interface BegunCommand {
  /** For the administrator's eyes: `WDJB-MJHT`. */
  readonly code: string
  /** For the command alone. */
  readonly secret: string
  readonly expiresTs: number
}

export interface WaitingCommand {
  readonly code: string
  /** What the command says of itself: a claim, to be shown as one. */
  readonly label: string
  readonly scope: CommandScope
  readonly createdTs: number
}

export interface CommandLine extends CommandLineRow {
  readonly id: string
}

export interface CommandLines {
  begin(label: string, scope: CommandScope): BegunCommand
  /** Null: no such code, or too old. */
  waiting(code: string): WaitingCommand | null
  approve(actor: UserId, code: string): void
  refuse(code: string): void
  /** Null: not approved yet. Throws M_FORBIDDEN where it was refused or is too old. */
  collect(secret: string): Promise<{ readonly token: string; readonly row: CommandLine } | null>
  /** Null: a token that is worth nothing. */
  read(token: string): Promise<CommandLine | null>
  list(): Promise<CommandLine[]>
  end(actor: string, id: string): Promise<boolean>
  /** After a restore or repair, which may bring back rows that were ended. */
  removeExpired(): Promise<void>
}

interface Begun extends WaitingCommand {
  readonly expiresTs: number
  approvedBy: UserId | null
}

const codeLifetimeMs = 10 * 60 * 1000
const tokenLifetimeMs = 8 * 60 * 60 * 1000
const maxBegun = 1_000
/** RFC 8628 section 6.1: consonants, so that no words come out and none is taken for another. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const tokenPrefix = 'ltc'

export const isCommandToken = (token: string) => token.startsWith(`${tokenPrefix}_`)

export function openCommandLines(core: Core, audit: Audit): CommandLines {
  const { store, clock } = core
  /** By the secret's hash; insertion order is order of expiry. */
  const begun = new Map<string, Begun>()

  const dropOld = () => {
    for (const [hash, { expiresTs }] of begun) {
      if (expiresTs > clock() && begun.size < maxBegun) break
      begun.delete(hash)
    }
  }
  const find = (code: string): Begun | null => {
    const wanted = normalised(code)
    const found = [...begun.values()].find(each => each.code === wanted)
    return found && found.expiresTs > clock() ? found : null
  }
  const newCode = (): string => {
    const drawn = [...core.randomBytes(64)].filter(byte => byte < 240).map(byte => letters[byte % 20])
    const code = `${drawn.slice(0, 4).join('')}-${drawn.slice(4, 8).join('')}`
    return find(code) ? newCode() : code
  }

  return {
    begin: (label, scope) => {
      dropOld()
      const secret = newSecret(core, 'ltb')
      const now = clock()
      const command = { code: newCode(), label, scope, createdTs: now, expiresTs: now + codeLifetimeMs }
      begun.set(hashSecret(secret), { ...command, approvedBy: null })
      return { code: command.code, secret, expiresTs: command.expiresTs }
    },
    waiting: code => {
      const found = find(code)
      if (!found || found.approvedBy !== null) return null
      return { code: found.code, label: found.label, scope: found.scope, createdTs: found.createdTs }
    },
    approve: (actor, code) => {
      const found = find(code)
      if (!found || (found.approvedBy !== null && found.approvedBy !== actor))
        throw new AccountError(
          'M_NOT_FOUND',
          'No command line waits with this code: it was used, or is too old.',
        )
      found.approvedBy = actor
    },
    refuse: code => {
      const found = find(code)
      for (const [hash, each] of begun) if (each === found) begun.delete(hash)
    },
    collect: async secret => {
      const hash = hashSecret(secret)
      const found = begun.get(hash)
      if (!found || found.expiresTs <= clock())
        throw new AccountError('M_FORBIDDEN', 'The code was refused, used, or is too old: begin again.')
      const { approvedBy, label, scope } = found
      if (approvedBy === null) return null
      // Taken whatever comes of it.
      begun.delete(hash)
      const token = newSecret(core, tokenPrefix)
      const id = hashSecret(token)
      const now = clock()
      const row = { userId: approvedBy, label, scope, createdTs: now, expiresTs: now + tokenLifetimeMs }
      await store.transact(approvedBy, async tx => {
        tx.put(commandLineTable.key(id), row)
        await audit.record(tx, {
          actor: approvedBy,
          action: 'command-line.begin',
          target: approvedBy,
          detail: { command: id, scope, expires_ts: row.expiresTs },
        })
      })
      return { token, row: { id, ...row } }
    },
    read: async token => {
      const id = hashSecret(token)
      const found = await store.read(async view => {
        const row = await view.get(commandLineTable.key(id))
        return row && { row, account: await view.get(accountTable.key(row.userId)) }
      })
      if (!found || found.row.expiresTs <= clock()) return null
      const { row, account } = found
      const isGood =
        account?.kind === 'administrator' && account.deactivatedTs === undefined && account.locked !== true
      return isGood ? { id, ...row } : null
    },
    list: () =>
      store.read(async view =>
        (await view.range(commandLineTable.under()))
          .filter(({ value }) => value.expiresTs > clock())
          .map(({ parts, value }) => ({ id: parts[0], ...value })),
      ),
    end: async (actor, id) => {
      const row = await store.read(view => view.get(commandLineTable.key(id)))
      if (!row) return false
      return store.transact(row.userId, async tx => {
        if (!(await tx.get(commandLineTable.key(id)))) return false
        tx.delete(commandLineTable.key(id))
        const act = { actor, action: 'command-line.end', target: row.userId, detail: { command: id } }
        await audit.record(tx, act)
        return true
      })
    },
    removeExpired: () =>
      store.transact('command-lines', async tx => {
        for (const { key, value } of await tx.range(commandLineTable.under()))
          if (value.expiresTs <= clock()) tx.delete(key)
      }),
  }
}

/** As people type it: any case, with or without the dash. */
function normalised(code: string): string {
  const bare = code.toUpperCase().replaceAll(/[^A-Z]/g, '')
  return `${bare.slice(0, 4)}-${bare.slice(4)}`
}

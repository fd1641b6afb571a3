/**
 * Registration tokens: who shows one may register. Kept as hashes, so the token itself is shown once.
 *
 * Spec: client-server-api#token-authenticated-registration
 */
import { enrolmentLinkTable, type RegistrationTokenRow, registrationTokenTable } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import { type Core, hashSecret, newSecret } from './core.ts'

export interface RegistrationToken extends RegistrationTokenRow {
  /** The hash: names the token without being one. */
  readonly id: string
}

export interface RegistrationTokens {
  create(
    actor: string,
    options: {
      readonly token?: string | undefined
      readonly usesAllowed?: number | undefined
      readonly expiresTs?: number | undefined
    },
  ): Promise<{ readonly token: string; readonly row: RegistrationToken }>
  list(): Promise<RegistrationToken[]>
  remove(actor: string, id: string): Promise<boolean>
  valid(token: string): Promise<boolean>
  /** Spends one use, in the batch that makes the account. The transaction must own `ownerOf(token)`. */
  spendIn(tx: Transaction, token: string): Promise<void>
  ownerOf(token: string): string
  /** After a repair, which may have brought back what was removed. */
  removeAllIn(tx: Transaction): Promise<void>
}

// Spec: appendices#opaque-identifiers; 64 characters at most.
const tokenGrammar = /^[0-9A-Za-z._~-]{1,64}$/

export function openRegistrationTokens(core: Core, audit: Audit): RegistrationTokens {
  const { store, clock } = core
  const owner = (id: string) => `registration-token:${id}`

  const usable = (row: RegistrationTokenRow | undefined): row is RegistrationTokenRow =>
    row !== undefined &&
    (row.expiresTs === undefined || clock() < row.expiresTs) &&
    (row.usesAllowed === undefined || row.uses < row.usesAllowed)

  return {
    create: async (actor, { token: wanted, usesAllowed, expiresTs }) => {
      if (wanted !== undefined && !tokenGrammar.test(wanted))
        throw new AccountError(
          'M_INVALID_PARAM',
          'token must be 1 to 64 of the characters A–Z a–z 0–9 . _ ~ -.',
        )
      if (expiresTs !== undefined && expiresTs <= clock())
        throw new AccountError('M_INVALID_PARAM', 'expires_ts lies in the past.')
      const token = wanted ?? newSecret(core, 'ltg')
      const id = hashSecret(token)
      const row: RegistrationTokenRow = {
        createdTs: clock(),
        createdBy: actor,
        uses: 0,
        ...(usesAllowed === undefined ? {} : { usesAllowed }),
        ...(expiresTs === undefined ? {} : { expiresTs }),
      }
      await store.transact(owner(id), async tx => {
        const key = registrationTokenTable.key(id)
        if (await tx.get(key)) throw new AccountError('M_INVALID_PARAM', 'token exists already.')
        tx.put(key, row)
        await audit.record(tx, {
          actor,
          action: 'registration-token.create',
          target: id,
          detail: { uses_allowed: usesAllowed ?? null, expires_ts: expiresTs ?? null },
        })
      })
      return { token, row: { id, ...row } }
    },

    list: () =>
      store.read(async view =>
        (await view.range(registrationTokenTable.under())).map(row => ({ id: row.parts[0], ...row.value })),
      ),

    remove: (actor, id) =>
      store.transact(owner(id), async tx => {
        const key = registrationTokenTable.key(id)
        if (!(await tx.get(key))) return false
        tx.delete(key)
        await audit.record(tx, { actor, action: 'registration-token.remove', target: id })
        return true
      }),

    valid: async token =>
      tokenGrammar.test(token) &&
      usable(await store.read(view => view.get(registrationTokenTable.key(hashSecret(token))))),

    spendIn: async (tx, token) => {
      const key = registrationTokenTable.key(hashSecret(token))
      const row = await tx.get(key)
      if (!usable(row)) throw new AccountError('M_FORBIDDEN', 'The registration token is not valid any more.')
      tx.put(key, { ...row, uses: row.uses + 1 })
    },

    ownerOf: token => owner(hashSecret(token)),

    removeAllIn: async tx => {
      for (const { key } of await tx.range(registrationTokenTable.under())) tx.delete(key)
      for (const { key } of await tx.range(enrolmentLinkTable.under())) tx.delete(key)
    },
  }
}

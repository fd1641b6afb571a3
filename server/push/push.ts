/**
 * What deserves a notification: each person's push rules, and what is unread for them.
 *
 * Spec: client-server-api#push-notifications. Rules are shown to clients as the account data event
 * `m.push_rules`; `sync` asks `rulesIfChanged` for it, because the ruleset is computed, not stored.
 */
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Receipts } from '../rooms/receipts.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { pushRulesTable, unreadCheckpointTable } from '../store/catalogue.ts'
import type { Position, Store, Transaction } from '../store/store.ts'
import { openDurableCache } from './durable-cache.ts'
import { compileRuleset, type Evaluate } from './evaluate.ts'
import { PushError } from './push-error.ts'
import {
  changeRule,
  type DefaultChange,
  noChanges,
  type Placement,
  type PushChanges,
  type PushRule,
  placeRule,
  type RuleKind,
  type Ruleset,
  removeRule,
  ruleKinds,
  rulesetOf,
} from './rules.ts'
import { openUnread, type Unread } from './unread.ts'

export interface Push extends Unread {
  rules(userId: UserId): Promise<Ruleset>
  /** The rules, if they were changed above `after` (undefined: in any case). */
  rulesIfChanged(userId: UserId, after: Position | undefined): Promise<Ruleset | undefined>
  evaluatorOf(userId: UserId): Promise<Evaluate>
  putRule(
    userId: UserId,
    kind: RuleKind,
    rule: Omit<PushRule, 'default' | 'enabled'>,
    placement: Placement,
  ): Promise<void>
  deleteRule(userId: UserId, kind: RuleKind, ruleId: string): Promise<void>
  changeRule(userId: UserId, kind: RuleKind, ruleId: string, change: DefaultChange): Promise<void>
  /** The account goes, and with it its rules and what is unread. The transaction owns the user id. */
  removeAllIn(tx: Transaction, userId: UserId): Promise<void>
}

/** Every message is held against every rule. */
const maxOwnRules = 1_000
const maxBytes = 256 * 1024
const maxPeopleInMemory = 10_000

interface PersonRules {
  readonly ruleset: Ruleset
  readonly evaluate: Evaluate
  /** 0: never changed. */
  readonly position: Position
}

export function openPush(deps: {
  store: Store
  rooms: Pick<Rooms, 'timeline' | 'event'>
  receipts: Pick<Receipts, 'marks'>
  ignoredUsers(userId: UserId): Promise<ReadonlySet<UserId>>
}): Push {
  const { store } = deps
  const people = openDurableCache<UserId, PersonRules>({
    store,
    kind: 'user',
    maxEntries: maxPeopleInMemory,
    async load(userId) {
      const row = await store.read(view => view.get(pushRulesTable.key(userId)))
      const ruleset = rulesetOf(userId, changesOf(row))
      return { ruleset, evaluate: compileRuleset(ruleset), position: row?.position ?? (0 as Position) }
    },
  })

  function change(userId: UserId, how: (changes: PushChanges) => PushChanges): Promise<void> {
    return store.transact(userId, async tx => {
      const key = pushRulesTable.key(userId)
      const changes = how(changesOf(await tx.get(key)))
      const count = ruleKinds.reduce((sum, kind) => sum + (changes.own[kind]?.length ?? 0), 0)
      if (count > maxOwnRules)
        throw new PushError('M_TOO_LARGE', `A person may have ${maxOwnRules} push rules at most.`)
      if (JSON.stringify(changes).length > maxBytes)
        throw new PushError('M_TOO_LARGE', `A person's push rules may have ${maxBytes} bytes at most.`)
      tx.sequence((next, rows) => {
        rows.put(key, { changes: changes as unknown as JsonObject, position: next() })
        rows.announce(`user:${userId}`)
      })
    })
  }

  const evaluatorOf = async (userId: UserId) => (await people.get(userId)).evaluate

  return {
    ...openUnread({ ...deps, evaluatorOf }),
    evaluatorOf,
    rules: async userId => (await people.get(userId)).ruleset,
    async rulesIfChanged(userId, after) {
      const { ruleset, position } = await people.get(userId)
      return after === undefined || position > after ? ruleset : undefined
    },
    async removeAllIn(tx, userId) {
      tx.delete(pushRulesTable.key(userId))
      for (const { key } of await tx.range(unreadCheckpointTable.under(userId))) tx.delete(key)
      tx.announce(`user:${userId}`)
    },
    putRule: (userId, kind, rule, placement) =>
      change(userId, changes => {
        const result = placeRule(changes, kind, rule, placement)
        if (result.kind === 'placed') return result.changes
        throw new PushError('M_UNKNOWN', `before/after rule not found: ${result.ruleId}`)
      }),
    deleteRule: (userId, kind, ruleId) =>
      change(userId, changes => removeRule(changes, kind, ruleId) ?? noSuchRule(kind, ruleId)),
    changeRule: (userId, kind, ruleId, wanted) =>
      change(
        userId,
        changes => changeRule(userId, changes, kind, ruleId, wanted) ?? noSuchRule(kind, ruleId),
      ),
  }
}

function changesOf(row: { readonly changes: JsonObject } | undefined): PushChanges {
  return row ? (row.changes as unknown as PushChanges) : noChanges
}

function noSuchRule(kind: RuleKind, ruleId: string): never {
  throw new PushError('M_NOT_FOUND', `There is no ${kind} push rule ${ruleId}.`)
}

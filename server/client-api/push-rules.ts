/**
 * Push rules. Spec: client-server-api#push-rules-api.
 *
 * Deviation: an unknown action or a malformed condition is refused, where the specification is silent: a rule
 * that could never do what it says helps nobody. Unknown kinds of condition are kept; they match nothing.
 */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, mayList, needString, queryText } from '../http/fields.ts'
import { badJson, invalidParam, missingParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { Push } from '../push/push.ts'
import {
  isHistoricalAction,
  type PushAction,
  type PushCondition,
  type PushRule,
  type RuleKind,
  ruleKinds,
} from '../push/rules.ts'

export interface PushRuleRouteDeps {
  readonly accounts: TokenReader
  readonly push: Push
}

export function pushRuleRoutes({ accounts, push }: PushRuleRouteDeps): Route[] {
  const base = '/_matrix/client/v3/pushrules'
  const rule = `${base}/global/:kind/:ruleId`
  const read = (...steps: Step[]) => [requireAccessToken(accounts), limit('read'), ...steps]
  const write = (...steps: Step[]) => [requireAccessToken(accounts), limit('account'), ...steps]
  return [
    { method: 'GET', path: `${base}/`, steps: read(getRules(push)) },
    { method: 'GET', path: base, steps: read(getRules(push)) },
    { method: 'GET', path: `${base}/global/`, steps: read(getGlobalRules(push)) },
    { method: 'GET', path: `${base}/global`, steps: read(getGlobalRules(push)) },
    { method: 'GET', path: rule, steps: read(getRule(push, each => each)) },
    { method: 'PUT', path: rule, steps: write(parseBody, putRule(push)) },
    { method: 'DELETE', path: rule, steps: write(deleteRule(push)) },
    {
      method: 'GET',
      path: `${rule}/enabled`,
      steps: read(getRule(push, ({ enabled }) => ({ enabled }))),
    },
    { method: 'PUT', path: `${rule}/enabled`, steps: write(parseBody, setEnabled(push)) },
    {
      method: 'GET',
      path: `${rule}/actions`,
      steps: read(getRule(push, ({ actions }) => ({ actions }))),
    },
    { method: 'PUT', path: `${rule}/actions`, steps: write(parseBody, setActions(push)) },
  ]
}

function getRules(push: Push): Step {
  return async function getRules(ctx) {
    ctx.body = { global: await push.rules(ctx.state.requester.userId) }
  }
}

function getGlobalRules(push: Push): Step {
  return async function getGlobalRules(ctx) {
    ctx.body = await push.rules(ctx.state.requester.userId)
  }
}

function getRule(push: Push, show: (rule: PushRule) => object): Step {
  return async function getRule(ctx) {
    const { kind, ruleId } = ruleOf(ctx)
    const rules = (await push.rules(ctx.state.requester.userId))[kind]
    const rule = rules.find(each => each.rule_id === ruleId)
    if (!rule) throw notFound('The push rule was not found.')
    ctx.body = show(rule)
  }
}

function putRule(push: Push): Step {
  return async function putRule(ctx) {
    const { kind, ruleId } = ruleOf(ctx)
    refuseReserved(ruleId)
    const { body, requester } = ctx.state
    const before = queryText(ctx.query, 'before')
    const after = queryText(ctx.query, 'after')
    const rule: Omit<PushRule, 'default' | 'enabled'> = {
      rule_id: ruleId,
      actions: readActions(body),
      ...(kind === 'override' || kind === 'underride' ? { conditions: readConditions(body) } : {}),
      ...(kind === 'content' ? { pattern: needString(body, 'pattern', maxPattern) } : {}),
    }
    await push.putRule(requester.userId, kind, rule, {
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    })
    ctx.body = {}
  }
}

function deleteRule(push: Push): Step {
  return async function deleteRule(ctx) {
    const { kind, ruleId } = ruleOf(ctx)
    refuseReserved(ruleId)
    await push.deleteRule(ctx.state.requester.userId, kind, ruleId)
    ctx.body = {}
  }
}

function setEnabled(push: Push): Step {
  return async function setEnabled(ctx) {
    const { kind, ruleId } = ruleOf(ctx)
    const enabled = mayBoolean(ctx.state.body, 'enabled')
    if (enabled === undefined) throw missingParam('enabled')
    await push.changeRule(ctx.state.requester.userId, kind, ruleId, { enabled })
    ctx.body = {}
  }
}

function setActions(push: Push): Step {
  return async function setActions(ctx) {
    const { kind, ruleId } = ruleOf(ctx)
    await push.changeRule(ctx.state.requester.userId, kind, ruleId, { actions: readActions(ctx.state.body) })
    ctx.body = {}
  }
}

function ruleOf(ctx: Context): { kind: RuleKind; ruleId: string } {
  const kind = ruleKinds.find(each => each === ctx.state.params['kind'])
  if (!kind) throw invalidParam(`kind must be one of ${ruleKinds.join(', ')}.`)
  const ruleId = ctx.state.params['ruleId']!
  if (ruleId.length > 255 || /[\\/]/.test(ruleId))
    throw invalidParam('ruleId must have 255 characters at most, and no slash or backslash.')
  return { kind, ruleId }
}

/** Spec: "If the string starts with a dot ("."), the request MUST be rejected". */
function refuseReserved(ruleId: string): void {
  if (ruleId.startsWith('.'))
    throw invalidParam('ruleId: names with a leading dot are the server-default rules; they can be disabled.')
}

const maxPattern = 1_000
const maxConditions = 50

function readActions(body: JsonObject): readonly PushAction[] {
  const list = mayList(body, 'actions')
  if (!list) throw missingParam('actions')
  for (const action of list) {
    if (action === 'notify' || isHistoricalAction(action)) continue
    if (isObject(action) && typeof action['set_tweak'] === 'string') continue
    throw invalidParam('actions: each must be "notify" or an object with set_tweak.')
  }
  return list as readonly PushAction[]
}

/** What a condition of a known kind must have. Spec: client-server-api#conditions-1. */
const needed: Readonly<Record<string, readonly string[]>> = {
  event_match: ['key', 'pattern'],
  event_property_is: ['key', 'value'],
  event_property_contains: ['key', 'value'],
  room_member_count: ['is'],
  sender_notification_permission: ['key'],
}

function readConditions(body: JsonObject): readonly PushCondition[] {
  const list = mayList(body, 'conditions') ?? []
  if (list.length > maxConditions) throw invalidParam(`conditions may have ${maxConditions} entries at most.`)
  return list.map((condition, i) => {
    if (!isObject(condition) || typeof condition['kind'] !== 'string')
      throw badJson(`conditions[${i}] must be an object with a kind.`)
    for (const name of needed[condition['kind']] ?? []) {
      const value = condition[name]
      if (value === undefined) throw missingParam(`conditions[${i}].${name}`)
      if (name !== 'value' && typeof value !== 'string')
        throw badJson(`conditions[${i}].${name} must be a string.`)
    }
    return condition as PushCondition
  })
}

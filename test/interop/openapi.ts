/**
 * The specification's OpenAPI files, as far as answers are checked against them: which operation a request is, and
 * whether an answer has the form that the operation promises. Schemas are JSON Schema; the keywords below are those
 * that the files use, any other one is an error, so that nothing goes unchecked in silence.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import yaml from 'js-yaml'
import { isObject, type Json, type JsonObject } from '../../server/protocol/json.ts'
import { sharedFolder } from '../support/shared-folder.ts'

const folder = join(sharedFolder(), 'reference/matrix-spec/data/api/client-server')

export interface Operation {
  readonly id: string
  readonly method: string
  /** Its whole path with parameters in braces. */
  readonly path: string
  readonly responses: ReadonlyMap<string, Located>
}

/** A piece of a file, and the file, which its references are relative to. */
interface Located {
  readonly file: string
  readonly value: JsonObject
}

export function readOperations(): Operation[] {
  const operations: Operation[] = []
  for (const name of readdirSync(folder).filter(name => name.endsWith('.yaml'))) {
    const file = join(folder, name)
    const document = read(file)
    const base = basePathOf(document)
    for (const [path, methods] of entries(document['paths'])) {
      for (const [method, operation] of entries(methods)) {
        if (!isObject(operation) || !isObject(operation['responses'])) continue
        operations.push({
          id: operation['operationId'] as string,
          method: method.toUpperCase(),
          path: base + path.trim(),
          responses: new Map(
            entries(operation['responses']).map(([status, value]) => [
              status,
              follow({ file, value: value as JsonObject }),
            ]),
          ),
        })
      }
    }
  }
  return operations
}

/** The operation that a request is; literal segments win over parameters. */
export function operationOf(
  operations: readonly Operation[],
  method: string,
  path: string,
): Operation | undefined {
  const given = path.split('?')[0]!.split('/')
  let best: { operation: Operation; literals: number } | undefined
  for (const operation of operations) {
    if (operation.method !== method) continue
    const wanted = operation.path.split('/')
    if (wanted.length !== given.length) continue
    if (!wanted.every((part, i) => part.startsWith('{') || part === given[i])) continue
    const literals = wanted.filter(part => !part.startsWith('{')).length
    if (!best || literals > best.literals) best = { operation, literals }
  }
  return best?.operation
}

/** What is wrong with this answer, one line each: the place, and what is wrong there. */
export function faultsOf(operation: Operation, status: number, body: Json): string[] {
  const response = operation.responses.get(String(status))
  // Errors that the specification does not list for an operation still have the standard form.
  if (!response) return status < 400 ? [`status ${status} is not one of ${operation.id}`] : errorFaults(body)
  const schema = schemaOf(response)
  const faults: string[] = []
  if (schema) check({ file: response.file, value: schema }, body, '', faults)
  return status >= 400 && status !== 401 ? [...faults, ...errorFaults(body)] : faults
}

export function isPromisedAsJson(operation: Operation, status: number): boolean {
  const response = operation.responses.get(String(status))
  return response ? schemaOf(response) !== null : status >= 400
}

function schemaOf(response: Located): JsonObject | null {
  const content = response.value['content']
  const media = isObject(content) ? content['application/json'] : undefined
  const schema = isObject(media) ? media['schema'] : undefined
  return isObject(schema) ? schema : null
}

function errorFaults(body: Json): string[] {
  return isObject(body) && typeof body['errcode'] === 'string' && typeof body['error'] === 'string'
    ? []
    : ['an error without errcode or error']
}

// ── files ────────────────────────────────────────────────────────────────────────────────────────────

const files = new Map<string, JsonObject>()

function read(file: string): JsonObject {
  let document = files.get(file)
  if (!document) {
    const value = yaml.load(readFileSync(file, 'utf8'))
    if (!isObject(value)) throw new Error(`${file} is no object`)
    document = value
    files.set(file, document)
  }
  return document
}

function basePathOf(document: JsonObject): string {
  const [server] = document['servers'] as readonly JsonObject[]
  const base = ((server?.['variables'] as JsonObject)?.['basePath'] as JsonObject | undefined)?.['default']
  return typeof base === 'string' ? base : ''
}

/** Follows a reference into this file or another one. */
function follow(located: Located): Located {
  const reference = located.value['$ref']
  if (typeof reference !== 'string') return located
  const [name = '', pointer = ''] = reference.split('#')
  const file = name === '' ? located.file : join(dirname(located.file), name)
  let value: Json | undefined = read(file)
  for (const part of pointer.split('/').filter(Boolean)) value = (value as JsonObject)[part]
  if (!isObject(value)) throw new Error(`${reference} in ${located.file} leads nowhere`)
  return follow({ file, value })
}

function entries(value: Json | undefined): [string, Json][] {
  return isObject(value) ? (Object.entries(value) as [string, Json][]) : []
}

// ── schemas ──────────────────────────────────────────────────────────────────────────────────────────

/** They describe, or the check of the others covers them. */
const silent = new Set([
  '$ref',
  '$id',
  '$schema',
  'title',
  'description',
  'example',
  'examples',
  'default',
  'deprecated',
  'format',
  'readOnly',
  'writeOnly',
  'required',
  'additionalProperties',
  'patternProperties',
])

function check(at: Located, value: Json, place: string, faults: string[]): void {
  const { file, value: schema } = follow(at)
  const sub = (inner: Json, where: Json, name: string) =>
    check({ file, value: inner as JsonObject }, where, `${place}${name}`, faults)
  const bad = (what: string) => faults.push(`${place || '(whole)'}: ${what}`)

  for (const [keyword, rule] of entries(schema)) {
    switch (keyword) {
      case 'type': {
        const types = Array.isArray(rule) ? (rule as readonly Json[]) : [rule]
        if (!types.some(type => isOfType(value, type as string)))
          bad(`is ${JSON.stringify(value)?.slice(0, 60)}, not ${JSON.stringify(rule)}`)
        break
      }
      case 'enum':
        if (!(rule as readonly Json[]).includes(value)) bad(`is none of ${JSON.stringify(rule)}`)
        break
      case 'const':
        if (value !== rule) bad(`is not ${JSON.stringify(rule)}`)
        break
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(rule as string, 'u').test(value))
          bad(`does not match ${rule as string}`)
        break
      case 'minimum':
      case 'maximum':
        if (
          typeof value === 'number' &&
          (keyword === 'minimum' ? value < Number(rule) : value > Number(rule))
        )
          bad(`is beyond ${keyword} ${Number(rule)}`)
        break
      case 'minItems':
      case 'maxItems':
        if (
          Array.isArray(value) &&
          (keyword === 'minItems' ? value.length < Number(rule) : value.length > Number(rule))
        )
          bad(`${keyword} is ${Number(rule)}`)
        break
      case 'minProperties':
        if (isObject(value) && Object.keys(value).length < Number(rule))
          bad(`has fewer than ${Number(rule)} fields`)
        break
      case 'maxProperties':
        if (isObject(value) && Object.keys(value).length > Number(rule))
          bad(`has more than ${Number(rule)} fields`)
        break
      case 'maxLength':
        if (typeof value === 'string' && value.length > Number(rule)) bad(`is longer than ${Number(rule)}`)
        break
      case 'uniqueItems':
        if (Array.isArray(value) && new Set(value.map(item => JSON.stringify(item))).size < value.length)
          bad('repeats itself')
        break
      case 'items':
        if (Array.isArray(value)) for (const [i, item] of value.entries()) sub(rule, item as Json, `[${i}]`)
        break
      case 'properties':
        if (isObject(value))
          for (const [name, inner] of entries(rule))
            if (value[name] !== undefined) sub(inner, value[name], `.${name}`)
        break
      case 'allOf':
        for (const inner of rule as readonly Json[]) sub(inner, value, '')
        break
      case 'anyOf':
      case 'oneOf': {
        const tries = (rule as readonly Json[]).map(inner => {
          const found: string[] = []
          check({ file, value: inner as JsonObject }, value, place, found)
          return found
        })
        if (!tries.some(found => found.length === 0)) bad(`fits no ${keyword}: ${tries[0]!.join('; ')}`)
        break
      }
      default:
        if (!silent.has(keyword) && !keyword.startsWith('x-'))
          throw new Error(`${file}: the keyword ${keyword} is not checked`)
    }
  }
  if (isObject(value)) checkFields(file, schema, value, place, faults)
}

function checkFields(
  file: string,
  schema: JsonObject,
  value: JsonObject,
  place: string,
  faults: string[],
): void {
  for (const name of (schema['required'] as readonly string[] | undefined) ?? [])
    if (value[name] === undefined) faults.push(`${place || '(whole)'}: ${name} is missing`)
  const named = isObject(schema['properties']) ? schema['properties'] : {}
  const patterns = entries(schema['patternProperties'])
  const others = schema['additionalProperties']
  for (const [name, inner] of entries(value)) {
    if (Object.hasOwn(named, name)) continue
    const fitting = patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name))
    for (const [, rule] of fitting)
      check({ file, value: rule as JsonObject }, inner, `${place}.${name}`, faults)
    if (fitting.length > 0) continue
    if (others === false) faults.push(`${place || '(whole)'}: ${name} does not belong there`)
    else if (isObject(others)) check({ file, value: others }, inner, `${place}.${name}`, faults)
  }
}

function isOfType(value: Json, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    default:
      // The schema's other names are those of typeof.
      return typeof value === type
  }
}

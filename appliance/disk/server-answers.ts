/**
 * Does the site's server answer? Asked as its people and its administrators do: at the socket in its data folder (is the store open),
 * and at the port that the configuration names.
 */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { adminSocket } from '#protocol/local-request.ts'
import type { Machine } from './machine.ts'

const timeoutMs = 10_000
const health = '/_letro/health'

export async function serverAnswers(
  machine: Pick<Machine, 'paths'>,
): Promise<'serving' | 'maintenance' | 'silent'> {
  const socketPath = join(machine.paths.site, 'data', adminSocket)
  const inside = await ask({ socketPath, path: health })
  if (inside?.status === 503) return 'maintenance'
  if (inside?.status !== 200) return 'silent'
  const configuration = await ask({ socketPath, path: '/_letro/admin/v1/configuration' })
  const settings = configuration?.json['settings']
  const listen = Array.isArray(settings)
    ? settings.filter(isObject).find(({ key }) => key === 'listen.client')?.['value']
    : null
  const at = typeof listen === 'string' ? reachableAt(listen.replaceAll('"', '')) : null
  if (!at) return 'silent'
  const outside = (await ask({ ...at, path: health, tls: true })) ?? (await ask({ ...at, path: health }))
  return outside?.status === 200 ? 'serving' : 'silent'
}

/** Where this machine reaches what listens at `host:port`; every address of its own is one. */
export function reachableAt(listen: string): { host: string; port: number } | null {
  const [, v6, name, port] = /^(?:\[([0-9a-f:.%]+)\]|([^:]*)):(\d{1,5})$/i.exec(listen) ?? []
  if (port === undefined) return null
  const host = v6 ?? name ?? ''
  const everywhere: Record<string, string> = {
    '': '127.0.0.1',
    '0.0.0.0': '127.0.0.1',
    '::': '::1',
    '*': '127.0.0.1',
  }
  return { host: everywhere[host] ?? host, port: Number(port) }
}

interface Question {
  readonly socketPath?: string
  readonly host?: string
  readonly port?: number
  readonly path: string
  readonly tls?: boolean
}

/** Null: no answer. Whose certificate it is does not matter: nothing is told, and nothing is believed but "it answers". */
function ask({ tls, ...where }: Question): Promise<{ status: number; json: JsonObject } | null> {
  return new Promise(resolve => {
    const nothing = () => resolve(null)
    const question = tls
      ? requestTls({ ...where, timeout: timeoutMs, rejectUnauthorized: false })
      : requestPlain({ ...where, timeout: timeoutMs })
    question.once('timeout', () => question.destroy())
    question.once('error', nothing)
    question.once('response', response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', nothing)
      response.once('close', nothing)
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, json: parse(Buffer.concat(chunks).toString('utf8')) })
      })
    })
    question.end()
  })
}

function parse(text: string): JsonObject {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : {}
  } catch {
    return {}
  }
}

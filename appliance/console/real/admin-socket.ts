/** The server's administration API over the socket in its data folder (server/admin-api/README.md), and what it says when it is unwell. */
import { request } from 'node:http'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { MachineRefused } from '../machine.ts'

const root = '/_letro/admin/v1'
const silenceMs = 60_000
const mostBytes = 4 * 1024 * 1024

export interface Answer {
  readonly status: number
  readonly json: JsonObject
}

export class AdminSocket {
  readonly #path: string
  constructor(path: string) {
    this.#path = path
  }

  /** Throws MachineRefused with the server's own sentence. */
  async ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: JsonObject): Promise<JsonObject> {
    const answer = await this.send(method, `${root}${path}`, body)
    if (!answer) throw new MachineRefused('SERVER_AWAY', 'The server does not answer. Nothing was changed.')
    if (answer.status < 300) return answer.json
    if (answer.status === 503)
      throw new MachineRefused('SERVER_MAINTENANCE', 'The server is in maintenance: its data is damaged.')
    const said = answer.json['error']
    throw new MachineRefused(
      'SERVER_REFUSED',
      typeof said === 'string' ? said : `The server refused (HTTP ${answer.status}).`,
    )
  }

  /** null: nobody answers. */
  send(method: string, path: string, body?: JsonObject, token?: string): Promise<Answer | null> {
    return new Promise(resolve => {
      const bytes = body === undefined ? null : JSON.stringify(body)
      const asked = request({
        socketPath: this.#path,
        method,
        path,
        headers: {
          ...(bytes === null ? {} : { 'Content-Type': 'application/json' }),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
      })
      asked.setTimeout(silenceMs, () => asked.destroy())
      asked.on('error', () => resolve(null))
      asked.on('response', response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
          if (text.length > mostBytes) asked.destroy()
        })
        response.on('error', () => resolve(null))
        response.on('close', () => resolve(null))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, json: objectIn(text) }))
      })
      asked.end(bytes ?? undefined)
    })
  }
}

export function objectIn(text: string): JsonObject {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : {}
  } catch {
    return {}
  }
}

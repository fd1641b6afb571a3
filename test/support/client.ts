/** The smallest Matrix client: one request, the answer as it came. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The parsed JSON; for other types the text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export interface CallOptions {
  readonly token?: string
  /** A value is sent as JSON; a string, a buffer or a stream as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export async function call(
  base: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const { token, body, headers = {}, signal } = options
  const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(raw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
    redirect: 'manual',
  })
  const isJson = response.headers.get('content-type') === 'application/json'
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  }
}

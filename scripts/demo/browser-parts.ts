/**
 * What the app's worker finds in a browser and Node has not: a database, kept in memory, and the part of XMLHttpRequest by
 * which files are uploaded. To be imported before anything of the app.
 */
import 'fake-indexeddb/auto'

class FetchRequest {
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {}
  status = 0
  response: unknown = null
  responseType = 'json'
  onload?: () => void
  onerror?: () => void
  onabort?: () => void
  onloadend?: () => void
  readonly #headers = new Headers()
  readonly #abort = new AbortController()
  #method = 'GET'
  #url = ''
  #answer: Response | null = null

  open(method: string, url: string): void {
    this.#method = method
    this.#url = url
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.set(name, value)
  }

  getResponseHeader(name: string): string | null {
    return this.#answer?.headers.get(name) ?? null
  }

  abort(): void {
    this.#abort.abort()
  }

  send(body: Blob): void {
    void this.#send(body).finally(() => this.onloadend?.())
  }

  async #send(body: Blob): Promise<void> {
    try {
      const { signal } = this.#abort
      this.#answer = await fetch(this.#url, { method: this.#method, headers: this.#headers, body, signal })
      this.response = await this.#answer.json().catch(() => null)
      this.status = this.#answer.status
    } catch {
      if (this.#abort.signal.aborted) this.onabort?.()
      else this.onerror?.()
      return
    }
    this.upload.onprogress?.({ loaded: body.size })
    this.onload?.()
  }
}

Object.assign(globalThis, { XMLHttpRequest: FetchRequest })

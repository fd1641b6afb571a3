/** `XMLHttpRequest`, as far as uploads need it, for Node: over `fetch`, all progress at the end. */
class UploadRequest {
  readonly upload = { onprogress: (_: { loaded: number }) => {} }
  onloadend = () => {}
  onabort = () => {}
  onerror = () => {}
  onload = () => {}
  responseType = ''
  response: unknown = null
  status = 0
  #url = ''
  #headers: Record<string, string> = {}
  #answered = new Headers()
  readonly #stop = new AbortController()

  open(_method: string, url: string): void {
    this.#url = url
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value
  }

  getResponseHeader(name: string): string | null {
    return this.#answered.get(name)
  }

  abort(): void {
    this.#stop.abort()
  }

  send(body: Blob): void {
    void this.#send(body)
  }

  async #send(body: Blob): Promise<void> {
    try {
      const { signal } = this.#stop
      const answer = await fetch(this.#url, { method: 'POST', headers: this.#headers, body, signal })
      this.status = answer.status
      this.#answered = answer.headers
      this.response = await answer.json().catch(() => null)
      this.upload.onprogress({ loaded: body.size })
      this.onload()
    } catch {
      if (this.#stop.signal.aborted) this.onabort()
      else this.onerror()
    }
    this.onloadend()
  }
}

Object.assign(globalThis, { XMLHttpRequest: UploadRequest })

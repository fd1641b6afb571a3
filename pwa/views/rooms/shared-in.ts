/**
 * What another app shared with us: handed over by the service worker, which has it in memory only, for it is not encrypted.
 *
 * It is fetched as soon as the page is there, before anybody has unlocked: the service worker may end soon.
 */
import { signal } from '@preact/signals'
import { route } from '../route.ts'

export interface SharedIn {
  readonly title: string
  readonly text: string
  readonly url: string
  readonly files: readonly File[]
}

/** Null: nothing is there to share. */
export const sharedIn = signal<SharedIn | null>(null)

const answersWithinMs = 5000

export async function collectShared(): Promise<void> {
  const at = route.peek()
  if (at.view !== 'new' || at.kind !== 'share') return
  const worker = navigator.serviceWorker?.controller
  if (!worker) return
  const { port1, port2 } = new MessageChannel()
  const answer = await new Promise<SharedIn | null>(resolve => {
    port1.onmessage = ({ data }: MessageEvent<SharedIn | null>) => resolve(data)
    setTimeout(resolve, answersWithinMs, null)
    worker.postMessage('shared?', [port2])
  })
  port1.close()
  if (answer) sharedIn.value = answer
}

/** One text of it; an address that the text names already is not said twice. */
export function sharedText({ title, text, url }: Omit<SharedIn, 'files'>): string {
  const parts: string[] = []
  for (const part of [title, text, url].map(each => each.trim())) {
    if (part !== '' && !parts.some(each => each.includes(part))) parts.push(part)
  }
  return parts.join('\n')
}

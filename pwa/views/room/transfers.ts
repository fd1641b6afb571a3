/** How far uploads and downloads are, by the item's key or the `mxc:` address, as the worker says. */
import { signal } from '@preact/signals'
import type { Transfer } from '../../worker/calls.ts'
import { onNotice } from '../account.ts'

const transfers = signal<ReadonlyMap<string, Transfer>>(new Map())

onNotice(notice => {
  if (notice.kind !== 'transfer') return
  const next = new Map(transfers.peek())
  // What failed says so itself: the message, or who asked for the file.
  if (notice.transfer.state === 'done' || notice.transfer.state === 'failed') next.delete(notice.transfer.id)
  else next.set(notice.transfer.id, notice.transfer)
  transfers.value = next
})

/** Reading it in a component makes the component follow it. */
export function transferOf(id: string | null): Transfer | null {
  return id === null ? null : (transfers.value.get(id) ?? null)
}

/** The owner where the browser has SharedWorker: every tab holds a port to it. Its name is the account. */
import { carryOut, type Unasked } from './frames.ts'
import { Owner, type Told } from './owner.ts'
import { becomeOwner } from './ownership.ts'

declare const self: SharedWorkerGlobalScope

const account = self.name
const ports = new Set<MessagePort>()
const tellAll = (notice: Told) => {
  for (const port of ports) port.postMessage({ notice } satisfies Unasked<Told>)
}
const owner = new Owner(account, tellAll)
let waiting = false
const owned = becomeOwner(account, () => {
  waiting = true
  tellAll({ kind: 'waiting' })
}).then(() => {
  waiting = false
})

self.onconnect = ({ ports: [port] }) => {
  ports.add(port!)
  if (waiting) port!.postMessage({ notice: { kind: 'waiting' } } satisfies Unasked<Told>)
  port!.onmessage = async ({ data }) => {
    // A tab that goes away says so: a port does not tell.
    if (data === 'bye') return ports.delete(port!)
    if (data === 'hello') return ports.add(port!)
    await owned
    return port!.postMessage(await carryOut(owner.calls, data))
  }
}

/**
 * The owner where the browser has no SharedWorker: each tab has a worker of its own, and the one that holds the lock
 * leads; the others pass on what their page asks. Its name is the account.
 *
 * Requests go over a channel on which only the leader listens (the others open it to post and close it again), answers
 * over one for each tab: no third tab is handed a copy of a secret. When the leader's tab goes, the next takes over
 * with a locked vault, and what was under way is refused with OWNER_GONE: nobody knows whether it was done.
 */
import { carryOut, type Reply, type Request, type Unasked } from './frames.ts'
import { Owner, type Told } from './owner.ts'
import { becomeOwner } from './ownership.ts'

declare const self: DedicatedWorkerGlobalScope

/** It only has to pass a message on. */
const leaderAnswersWithinMs = 1000

type ToLeader = { readonly tab: string; readonly request: Request | 'hello' }
type ToTabs = Unasked<Told> | { readonly leader: string }

const account = self.name
const ourTab = crypto.randomUUID()
const leaderChannel = `org.letro.leader ${account}`
const tabChannel = (tab: string) => `org.letro.tab ${tab}`
const everyTab = new BroadcastChannel(`org.letro.tabs ${account}`)
const pending = new Map<number, Request>()
let leader: string | null = null
let owner: Owner | null = null

const answers = new BroadcastChannel(tabChannel(ourTab))
answers.onmessage = ({ data }: MessageEvent<Reply | { leader: string }>) => {
  if ('leader' in data) return follow(data.leader)
  pending.delete(data.id)
  self.postMessage(data)
}
everyTab.onmessage = ({ data }: MessageEvent<ToTabs>) => {
  if ('leader' in data) follow(data.leader)
  else self.postMessage(data)
}
self.onmessage = async ({ data }: MessageEvent<Request | 'bye' | 'hello'>) => {
  if (data === 'bye' || data === 'hello') return
  if (owner) return self.postMessage(await carryOut(owner.calls, data))
  pending.set(data.id, data)
  if (leader) post(leaderChannel, { tab: ourTab, request: data } satisfies ToLeader)
}
post(leaderChannel, { tab: ourTab, request: 'hello' } satisfies ToLeader)
becomeOwner(account, () => setTimeout(sayThatWeWait, leaderAnswersWithinMs)).then(lead)

/** Somebody owns the account, and it is no leader of ours: a worker of another release. */
function sayThatWeWait(): void {
  if (leader === null && owner === null)
    self.postMessage({ notice: { kind: 'waiting' } } satisfies Unasked<Told>)
}

/** The first leader that is heard of gets what was waiting; with the next, what the last one had is lost. */
function follow(next: string): void {
  if (next === leader) return
  const waited = [...pending.values()]
  const first = leader === null
  leader = next
  if (!first) pending.clear()
  for (const request of waited) {
    if (first) post(leaderChannel, { tab: ourTab, request } satisfies ToLeader)
    else refuse(request.id)
  }
}

async function lead(): Promise<void> {
  const told = leader !== null
  owner = new Owner(account, notice => {
    self.postMessage({ notice })
    everyTab.postMessage({ notice })
  })
  const { calls } = owner
  const requests = new BroadcastChannel(leaderChannel)
  requests.onmessage = async ({ data: { tab, request } }: MessageEvent<ToLeader>) => {
    if (request === 'hello') post(tabChannel(tab), { leader: ourTab })
    else post(tabChannel(tab), await carryOut(calls, request))
  }
  everyTab.postMessage({ leader: ourTab } satisfies ToTabs)
  const waited = [...pending.values()]
  pending.clear()
  for (const request of waited) {
    if (told) refuse(request.id)
    else self.postMessage(await carryOut(calls, request))
  }
  // Who was led by another sees that the vault is shut.
  if (told) {
    const notice: Told = { kind: 'state', state: await calls.state(null) }
    self.postMessage({ notice })
    everyTab.postMessage({ notice })
  }
}

function refuse(id: number): void {
  const message = 'the tab that held the vault was closed; whether this was done is not known'
  self.postMessage({ id, refusal: { code: 'OWNER_GONE', message } } satisfies Reply)
}

function post(channel: string, message: unknown): void {
  const once = new BroadcastChannel(channel)
  once.postMessage(message)
  once.close()
}

/**
 * How it stands with other organisations, as our server tells: asked while a room with them is looked at.
 *
 * Nothing of it is kept: while our own server is away nothing is known of others, and nothing is said.
 */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { OrganisationStanding } from '../../worker/calls.ts'
import { call } from '../account.ts'

const everyMs = 20_000
const known = signal<Readonly<Record<string, OrganisationStanding>>>({})

/** Of these organisations, those that nothing goes to now. The first name may be ours: of it nothing is said. */
export function useStandings(
  servers: readonly string[],
): readonly (OrganisationStanding & { server: string })[] {
  const isAsked = servers.length > 1
  useEffect(() => (isAsked ? follow() : undefined), [isAsked])
  return servers.flatMap(server =>
    Object.hasOwn(known.value, server) ? [{ ...known.value[server]!, server }] : [],
  )
}

let followers = 0
let stop = () => {}

/** One question for all that follow. */
function follow(): () => void {
  if (followers++ === 0) stop = ask()
  return () => {
    if (--followers === 0) stop()
  }
}

function ask(): () => void {
  const read = async () => {
    if (document.visibilityState === 'hidden') return
    known.value = await call('organisations', null).catch(() => ({}))
  }
  void read()
  const timer = setInterval(read, everyMs)
  document.addEventListener('visibilitychange', read)
  return () => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', read)
  }
}

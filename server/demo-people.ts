/** The accounts of a demonstration: made at its start, without passkeys or passwords; one click signs them in. */
import type { Accounts } from './accounts/accounts.ts'
import type { Demo } from './client-api/demo.ts'
import { localpartOf } from './protocol/ids.ts'

const quarterMs = 90 * 24 * 60 * 60 * 1000

/** @param clock now: an external person's time begins with the demonstration */
export async function makeDemoPeople(accounts: Accounts, demo: Demo, clock: () => number): Promise<void> {
  const people = demo.people()
  const sponsor = people.find(({ kind }) => kind === 'administrator')?.userId
  for (const { userId, name, kind } of people) {
    if (await accounts.people.get(userId)) continue
    await accounts.people.register({ localpart: localpartOf(userId), session: null })
    await accounts.profiles.setField(userId, 'displayname', name)
    if (kind === 'external' && sponsor)
      await accounts.people.setKind('demo', userId, kind, { expiresTs: clock() + quarterMs, sponsor })
    else if (kind !== 'member') await accounts.people.setKind('demo', userId, kind)
  }
}

/** The way in, wired to the worker, the passkeys, the server and this browser. */

import { askForPersistence } from '../../worker/account-client.ts'
import {
  account,
  call,
  forgetAccount,
  onNotice,
  openAccount,
  ownerState,
  readAccount,
  session,
  sessionEnded,
} from '../account.ts'
import { confirmed, createPasskey, openerOf, suggestedName, usePasskey } from '../passkey-gesture.ts'
import { readServerInfo, serverInfo } from '../server-info.ts'
import { enrolThisDevice } from '../settings/enrol-device.ts'
import { Entry } from './entry.ts'
import { lastFacts } from './last-facts.ts'
import { arrivalOf } from './link.ts'
import * as server from './server.ts'
import { hasPasskeys, missing, mustInstallFirst } from './support.ts'

export const entry = new Entry({
  account: {
    userId: () => account.peek(),
    ownerState: () => ownerState.peek(),
    session: () => session.peek(),
    open: (userId, how) => void openAccount(userId, how),
    read: readAccount,
    forget: forgetAccount,
    call,
    onNotice: listener => void onNotice(listener),
    setEnded: why => {
      sessionEnded.value = why
    },
  },
  passkeys: {
    available: hasPasskeys,
    create: createPasskey,
    use: usePasskey,
    openerOf,
    confirmed,
    enrolDevice: enrolThisDevice,
  },
  server: {
    ...server,
    lockAfterDays: async () => (await knownServer())?.lockAfterDays ?? null,
    demoPeople: async () => (await knownServer())?.demo.map(({ userId }) => userId) ?? [],
  },
  browser: {
    takeArrival: () => {
      const arrival = arrivalOf(location)
      if (arrival.kind !== 'none') history.replaceState(null, '', '/')
      return arrival
    },
    missing,
    mustInstallFirst,
    suggestedName,
    askForPersistence,
    lastFacts,
    now: Date.now,
    pause: ms => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, ms)
      return {
        over: promise,
        wake: () => {
          clearTimeout(timer)
          resolve()
        },
      }
    },
    alone: act => navigator.locks.request('org.letro.entering', act),
  },
})

export const stage = entry.stage

async function knownServer() {
  if (!serverInfo.peek()) await readServerInfo().catch(() => {})
  return serverInfo.peek()
}

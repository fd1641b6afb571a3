/** What tabs may ask about trust. Secrets that come in are wiped as soon as they were used, also when they were wrong. */
import { wipe } from '../e2ee/primitives.ts'
import {
  acceptVerification,
  cancelVerification,
  confirmSas,
  confirmScanned,
  qrCodeOf,
  scanQrCode,
  startSas,
} from '../e2ee/verification/flow.ts'
import { acceptPerson, deleteDevices, ourDevices, personTrust, renameDevice } from '../trust/devices.ts'
import { TrustError } from '../trust/errors.ts'
import { exportKeys, importKeys } from '../trust/key-file.ts'
import { identityState, makeOurIdentity, openOurIdentity } from '../trust/own-identity.ts'
import type { TrustDeps } from '../trust/ports.ts'
import { checkRecoveryKey, newRecoveryKey } from '../trust/recovery.ts'
import { addPasskey, dropPasskey, type PasskeyOpener, type StorageOpener } from '../trust/storage.ts'
import type { Trust } from '../trust/trust.ts'
import { askToVerify, verifications } from '../trust/verifying.ts'
import type { Opener } from '../vault/vault-key.ts'
import type { PersonTrust, TrustCalls } from './calls.ts'

export function trustCalls(trust: () => Trust): TrustCalls {
  const deps = () => trust().deps
  /** The changed master key that a person was shown: what they accept is this one, and none that came meanwhile. */
  const shown = new Map<string, string>()
  const inTurn = oneAfterTheOther()
  const make =
    (which: 'first' | 'anew'): TrustCalls['setUpIdentity'] =>
    ({ prf, auth }) =>
      inTurn(prf, async () => ({
        recoveryKey: await trust().alone(() => makeOurIdentity(deps(), which, prf && passkeyOf(prf), auth)),
      }))
  /** Stored when it returns; the other end hears of it as soon as it can be reached. */
  const decide = (input: Parameters<TrustDeps['machine']['run']>[0]): Promise<void> =>
    deps().machine.run(async (step, own) => void (await input(step, own)))

  return {
    identity: () => identityState(deps()),
    setUpIdentity: make('first'),
    resetIdentity: make('anew'),
    openIdentity: opener =>
      inTurn(opener, async () => {
        const opened = trust()
        await opened.alone(() => openOurIdentity(opened.deps, opener))
        void opened.lookAfter()
      }),
    checkRecoveryKey: ({ group, text }) => checkRecoveryKey(deps(), group, text),
    newRecoveryKey: () => inTurn(null, async () => ({ recoveryKey: await newRecoveryKey(deps()) })),
    addPasskeyToIdentity: opener => inTurn(opener, () => addPasskey(deps(), passkeyOf(opener))),
    removePasskeyFromIdentity: credentialId => inTurn(null, () => dropPasskey(deps(), credentialId)),
    beginDeviceEnrolment: passkeys => trust().enrolments.begin(passkeys),
    completeDeviceEnrolment: answer => trust().enrolments.complete(answer),

    person: async userId => {
      const person = await personTrust(deps(), userId)
      if (needsDecision(person)) shown.set(userId, masterKeyOf(person))
      else shown.delete(userId)
      return person
    },
    acceptIdentity: async userId => {
      const masterKey = shown.get(userId) ?? masterKeyOf(await personTrust(deps(), userId))
      await acceptPerson(deps(), userId, masterKey)
      shown.delete(userId)
    },
    ourDevices: () => ourDevices(deps()),
    renameDevice: ({ deviceId, name }) => renameDevice(deps(), deviceId, name),
    deleteDevices: ({ deviceIds, auth }) => deleteDevices(deps(), deviceIds, auth),

    requestVerification: whom => askToVerify(deps(), whom),
    verifications: () => verifications(deps()),
    acceptVerification: flowId => decide((step, own) => acceptVerification(step, own, flowId)),
    startSas: flowId => decide((step, own) => startSas(step, own, flowId)),
    confirmSas: flowId => decide((step, own) => confirmSas(step, own, flowId)),
    cancelVerification: ({ flowId, mismatch }) =>
      decide((step, own) => cancelVerification(step, own, flowId, mismatch ? 'm.mismatched_sas' : 'm.user')),
    verificationQr: async flowId =>
      new Uint8Array(await deps().machine.run((step, own) => qrCodeOf(step, own, flowId))),
    scanVerificationQr: ({ flowId, bytes }) => decide((step, own) => scanQrCode(step, own, flowId, bytes)),
    confirmScanned: flowId => decide((step, own) => confirmScanned(step, own, flowId)),

    offerDeviceLink: ({ auth }) => trust().links.offer(auth),
    cancelDeviceLink: async linkId => trust().links.cancel(linkId),
    completeDeviceLink: async ({ linkId, key }) => {
      const joined = trust()
      await joined.links.complete(linkId, key)
      void joined.lookAfter()
    },
    exportKeys: ({ passphrase }) => exportKeys(deps(), passphrase),
    importKeys: ({ file, passphrase }) => importKeys(deps(), file, passphrase),
  }
}

function needsDecision({ standing }: PersonTrust): boolean {
  return standing === 'changed' || standing === 'verification-lost'
}

function masterKeyOf({ fingerprint }: PersonTrust): string {
  return (fingerprint ?? '').replaceAll(' ', '')
}

function passkeyOf(opener: Opener): PasskeyOpener {
  if (opener.kind !== 'passkey') throw new TrustError('NOT_A_PASSKEY', 'only a passkey opens without typing')
  return opener
}

/** Two tabs must not make two identities, or two keys to one storage. */
function oneAfterTheOther() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(opener: StorageOpener | null, act: () => Promise<T>): Promise<T> => {
    const done = last.then(act).finally(() => wipeOpener(opener))
    last = done.catch(() => {})
    return done
  }
}

function wipeOpener(opener: StorageOpener | null): void {
  if (opener?.kind === 'passkey') wipe(opener.prfOutput)
  if (opener?.kind === 'recovery-key') wipe(opener.recoveryKey)
}

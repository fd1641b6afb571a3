import { formatWhen, t } from '../../i18n/i18n.ts'
import type { DeviceEntry } from '../../worker/calls.ts'
import { Code, Name } from '../parts/name.tsx'
import { deviceKey, enrolmentWords, isUnconfirmed } from './device-words.ts'

/** A person's devices: who vouches for each, and with which passkey it was enrolled. */
export function DeviceList({ devices, isMine }: { devices: readonly DeviceEntry[]; isMine: boolean }) {
  return (
    <section>
      <h3>{t('trust.devices')}</h3>
      {devices.length === 0 && <p class="quiet">{t('trust.noDevices')}</p>}
      <ul class="trust-devices">
        {devices.map(device => (
          <li key={device.deviceId}>
            <DeviceFacts device={device} isMine={isMine} />
          </li>
        ))}
      </ul>
    </section>
  )
}

export function DeviceFacts({ device, isMine }: { device: DeviceEntry; isMine: boolean }) {
  const { deviceId, displayName, lastSeenTs, fingerprint } = device
  return (
    <div class="trust-device">
      <p class="trust-device-name">
        <Name of={displayName} fallback={deviceId} />
      </p>
      <p class={isUnconfirmed(device) ? 'trust-warn' : 'quiet'}>{t(deviceKey(device, isMine))}</p>
      <Enrolment device={device} />
      {lastSeenTs !== null && <p class="quiet">{t('trust.lastSeen', { when: formatWhen(lastSeenTs) })}</p>}
      <details class="trust-fingerprint">
        <summary>{t('trust.deviceKey')}</summary>
        <Code block>{`${deviceId}\n${fingerprint}`}</Code>
      </details>
    </div>
  )
}

function Enrolment({ device }: { device: DeviceEntry }) {
  const words = enrolmentWords(device.enrolment)
  switch (words.kind) {
    case 'none':
      return null
    case 'invalid':
      return <p class="trust-warn">{t('trust.enrolmentInvalid', { code: words.code })}</p>
    case 'enrolled':
      return (
        <p class="quiet">
          {t('trust.enrolledWith', { name: words.name })} · {t(words.key)}
        </p>
      )
  }
}

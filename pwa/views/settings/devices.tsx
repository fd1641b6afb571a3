import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { DeviceEntry } from '../../worker/calls.ts'
import { call, ourUserId, session } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { confirmed } from '../passkey-gesture.ts'
import { DeviceFacts } from '../trust/device-list.tsx'
import { isUnconfirmed } from '../trust/device-words.ts'
import { askToVerify } from '../trust/verifications.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import '../trust/trust.css'
import { enrolThisDevice } from './enrol-device.ts'
import { LinkDevice } from './link-device.tsx'
import { Rename } from './passkeys.tsx'

/** Where one is signed in: confirm what is ours, sign out what is not. */
export function Devices() {
  const [isLinking, setLinking] = useState(false)
  const devices = useAsked(
    'devices',
    () => call('ourDevices', null),
    notice =>
      notice.kind === 'identity' ||
      (notice.kind === 'person' && notice.userId === ourUserId.peek()) ||
      notice.kind === 'device-link',
  )
  const list = devices.answer
  const here = session.value?.deviceId
  const ours = list?.filter(({ deviceId }) => deviceId === here) ?? []
  const others = list?.filter(({ deviceId }) => deviceId !== here) ?? []
  return (
    <>
      <p>{t('settings.devicesText')}</p>
      {devices.error !== null && <Failure error={devices.error} onRetry={devices.again} />}
      {!list && devices.error === null && <Skeleton lines={6} />}
      {ours.length > 0 && (
        <>
          <h3>{t('settings.thisDevice')}</h3>
          <ul class="settings-rows">
            {ours.map(device => (
              <Row key={device.deviceId} device={device} onChange={devices.again} />
            ))}
          </ul>
        </>
      )}
      {list && (
        <>
          <h3>{t('settings.otherDevices')}</h3>
          {others.length === 0 && <p>{t('settings.noOtherDevices')}</p>}
          {others.length > 0 && (
            <ul class="settings-rows">
              {others.map(device => (
                <Row key={device.deviceId} device={device} onChange={devices.again} />
              ))}
            </ul>
          )}
          <div class="settings-acts">
            <Button tone="main" onClick={() => setLinking(true)}>
              {t('settings.linkDevice')}
            </Button>
            {others.length > 0 && <SignOutOthers devices={others} onDone={devices.again} />}
          </div>
        </>
      )}
      {isLinking && <LinkDevice onClose={() => setLinking(false)} />}
    </>
  )
}

function Row({ device, onChange }: { device: DeviceEntry; onChange: () => void }) {
  const [isNaming, setNaming] = useState(false)
  const { busy, error, act } = useAct()
  const { deviceId, displayName } = device
  const isHere = deviceId === session.value?.deviceId
  const verify = () => askToVerify({ userId: ourUserId.peek(), deviceId })
  const enrol = () =>
    act(async () => {
      await enrolThisDevice()
      toast(t('settings.deviceEnrolled'))
      onChange()
    })
  return (
    <li>
      <div>
        <DeviceFacts device={device} isMine />
        {!isHere && isUnconfirmed(device) && <Notice tone="warn">{t('settings.unconfirmedDevice')}</Notice>}
        {isHere && device.enrolment['kind'] !== 'enrolled' && (
          <p class="quiet">{t('settings.enrolDeviceText')}</p>
        )}
        {error !== null && <Failure error={error} />}
      </div>
      <div class="settings-acts">
        {isHere && device.enrolment['kind'] !== 'enrolled' && (
          <Button busy={busy} onClick={enrol}>
            {t('settings.enrolDevice')}
          </Button>
        )}
        {!isHere && isUnconfirmed(device) && (
          <Button busy={busy} onClick={() => act(verify)}>
            {t('settings.verifyDevice')}
          </Button>
        )}
        <Button onClick={() => setNaming(true)}>{t('settings.renameDevice')}</Button>
        {!isHere && (
          <SigningOut
            title={t('settings.signOutDevice')}
            text={t('settings.signOutDeviceText', { name: plainName(displayName) ?? deviceId })}
            deviceIds={[deviceId]}
            onDone={onChange}
          />
        )}
      </div>
      {isNaming && (
        <Rename
          title={t('settings.renameDevice')}
          label={t('settings.deviceName')}
          name={displayName ?? ''}
          onClose={() => setNaming(false)}
          onSave={async name => {
            await call('renameDevice', { deviceId, name })
            onChange()
          }}
        />
      )}
    </li>
  )
}

function SignOutOthers({ devices, onDone }: { devices: readonly DeviceEntry[]; onDone: () => void }) {
  return (
    <SigningOut
      title={t('settings.signOutOthers')}
      text={t('settings.signOutOthersText', { count: devices.length })}
      deviceIds={devices.map(({ deviceId }) => deviceId)}
      onDone={onDone}
    />
  )
}

function SigningOut({
  title,
  text,
  deviceIds,
  onDone,
}: {
  title: string
  text: string
  deviceIds: readonly string[]
  onDone: () => void
}) {
  const [isAsking, setAsking] = useState(false)
  const { busy, error, act } = useAct()
  const signOut = async () => {
    if (!(await act(() => confirmed(auth => call('deleteDevices', { deviceIds, auth }))))) return
    setAsking(false)
    onDone()
  }
  return (
    <>
      <Button tone="grave" onClick={() => setAsking(true)}>
        {title}
      </Button>
      {isAsking && (
        <Dialog title={title} onClose={() => setAsking(false)}>
          <p>{text}</p>
          {error !== null && <Failure error={error} />}
          <Actions>
            <Button onClick={() => setAsking(false)}>{t('parts.cancel')}</Button>
            <Button tone="grave" busy={busy} onClick={signOut}>
              {title}
            </Button>
          </Actions>
        </Dialog>
      )}
    </>
  )
}

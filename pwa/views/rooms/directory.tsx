import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { OpenRooms } from './open-rooms.tsx'
import { useKept, useSettled } from './use-settled.ts'

/** Rooms that anybody of this server may find. */
export function Directory({ address: given = '' }: { address?: string }) {
  const [text, setText] = useState('')
  const [address, setAddress] = useState(given)
  const { busy, error, act } = useAct()
  const wanted = useSettled(text.trim())
  const found = useAsked(`directory ${wanted}`, () => call('publicRooms', { text: wanted }))
  const answer = useKept(found.answer)
  const join = (room: string) =>
    void act(async () => {
      const roomId = await call('join', { room })
      go({ view: 'room', roomId })
    })
  return (
    <>
      <Field
        type="search"
        label={t('rooms.findRoom')}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      {found.error !== null && <Failure error={found.error} onRetry={found.again} />}
      {error !== null && <Failure error={error} />}
      <OpenRooms rooms={answer ?? []} busy={busy} onJoin={({ roomId }) => join(roomId)} />
      {answer?.length === 0 && <p class="list-none">{t('rooms.directoryEmpty')}</p>}
      <form
        onSubmit={event => {
          event.preventDefault()
          join(address.trim())
        }}
      >
        <Field
          label={t('rooms.byAddress')}
          hint={t('rooms.byAddressHint')}
          value={address}
          dir="ltr"
          autoCapitalize="off"
          spellcheck={false}
          onInput={event => setAddress(event.currentTarget.value)}
        >
          <Button type="submit" busy={busy} disabled={!/^[#!]/.test(address.trim())}>
            {t('rooms.join')}
          </Button>
        </Field>
      </form>
    </>
  )
}

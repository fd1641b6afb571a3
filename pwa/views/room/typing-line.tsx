import { t } from '../../i18n/i18n.ts'
import { nameIn, useGround } from './room-ground.ts'
import { useTyping } from './use-typing.ts'

/** Who is writing; its place is kept when nobody is, so that nothing jumps. */
export function TypingLine() {
  const ground = useGround()
  const userIds = useTyping(ground.roomId, ground.ourUserId)
  const [one = '', two = ''] = userIds.map(userId => nameIn(ground, userId))
  return (
    <p class="typing" aria-live="polite">
      {userIds.length === 1 && t('room.typingOne', { name: one })}
      {userIds.length === 2 && t('room.typingTwo', { one, two })}
      {userIds.length > 2 && t('room.typingMany')}
    </p>
  )
}

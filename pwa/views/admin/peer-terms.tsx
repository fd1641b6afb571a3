import { t } from '../../i18n/i18n.ts'
import { Choice, Field } from '../parts/field.tsx'
import { type Direction, directions } from './answers.ts'

/** Who may send to whom, and a word for other administrators. */
export function PeerTerms({
  direction,
  onDirection,
  note,
  onNote,
}: {
  direction: Direction
  onDirection: (direction: Direction) => void
  note: string
  onNote: (note: string) => void
}) {
  return (
    <>
      <Choice
        label={t('site.direction')}
        value={direction}
        options={directions.map(value => ({
          value,
          label: t(`site.direction_${value}`),
          hint: t(`site.directionHint_${value}`),
        }))}
        onChange={onDirection}
      />
      <Field
        label={t('site.note')}
        hint={t('site.noteHint')}
        value={note}
        maxLength={1000}
        onInput={event => onNote(event.currentTarget.value)}
      />
    </>
  )
}

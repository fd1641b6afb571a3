import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { toast } from '../parts/toast.tsx'

/** Which of a page's acts is being asked about, and what its dialog does when it ends: done, overtaken by somebody else, or closed. */
export function useChosenAct<Act extends string>(onChange: () => void) {
  const [asked, setAsked] = useState<Act | null>(null)
  const overtaken = () => {
    setAsked(null)
    onChange()
  }
  const ends = {
    onDone: () => {
      toast(t('people.changed'))
      overtaken()
    },
    onChanged: overtaken,
    onClose: () => setAsked(null),
  }
  return { asked, setAsked, ends }
}

import { useEffect, useState } from 'preact/hooks'
import type { Verification } from '../../e2ee/verification/flow.ts'
import { manner, t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions } from '../parts/dialog.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { emojiNames, emojiPictures } from './sas-emoji.ts'

/** Seven pictures with their names, or three numbers. Spec: client-server-api#sas-method-emoji, #sas-method-decimal */
export function Pictures({ flow }: { flow: Verification }) {
  const [asNumbers, setAsNumbers] = useState(false)
  const { busy, error, act } = useAct()
  const { flowId, sas } = flow
  if (!sas) return null
  return (
    <>
      <h3>{t('trust.compareTitle')}</h3>
      <p>{t('trust.compareText')}</p>
      {asNumbers ? (
        <ol class="verification-numbers" dir="ltr">
          {sas.decimals.map((number, i) => (
            <li key={i}>{number}</li>
          ))}
        </ol>
      ) : (
        <PictureRow numbers={sas.emoji} />
      )}
      <Button tone="quiet" onClick={() => setAsNumbers(!asNumbers)}>
        {asNumbers ? t('trust.comparePictures') : t('trust.compareNumbers')}
      </Button>
      {error !== null && <Failure error={error} />}
      <Actions>
        <Button
          tone="grave"
          disabled={busy}
          onClick={() => act(() => call('cancelVerification', { flowId, mismatch: true }))}
        >
          {t('trust.theyDiffer')}
        </Button>
        <Button tone="main" busy={busy} onClick={() => act(() => call('confirmSas', flowId))}>
          {t('trust.theyMatch')}
        </Button>
      </Actions>
    </>
  )
}

function PictureRow({ numbers }: { numbers: readonly number[] }) {
  const { language } = manner.value
  const [names, setNames] = useState<readonly string[]>([])
  useEffect(() => {
    let gone = false
    void emojiNames(language).then(loaded => {
      if (!gone) setNames(loaded)
    })
    return () => {
      gone = true
    }
  }, [language])
  return (
    <ol class="verification-pictures">
      {numbers.map((number, i) => (
        <li key={i}>
          <span aria-hidden="true">{emojiPictures[number]}</span>
          {names[number]}
        </li>
      ))}
    </ol>
  )
}

/** One view at a time, by `?view=`: what the app would show, with the fixture's worker behind it. */
import '../../../pwa/views/fonts.css'
import '../../../pwa/views/tokens.css'
import '../../../pwa/views/base.css'
import './page.css'
import { render } from 'preact'
import { setManner } from '../../../pwa/i18n/i18n.ts'
import { Help } from '../../../pwa/views/help/help.tsx'
import { Toasts } from '../../../pwa/views/parts/toast.tsx'
import { Settings } from '../../../pwa/views/settings/settings.tsx'
import { Person } from '../../../pwa/views/trust/person.tsx'
import { ShieldExplanation } from '../../../pwa/views/trust/shield-explanation.tsx'
import { VerificationDialog } from '../../../pwa/views/trust/verification.tsx'
import { askToVerify } from '../../../pwa/views/trust/verifications.ts'
import { WhoCanRead } from '../../../pwa/views/trust/who-can-read.tsx'
import { flows, makeFlow, roomEntry } from './answers.ts'

const query = new URLSearchParams(location.search)
const of = query.get('of') ?? ''

function View() {
  switch (query.get('view')) {
    case 'settings':
      return <Settings page={of} />
    case 'help':
      return <Help page={of} />
    case 'who':
      return <WhoCanRead roomId={roomEntry.roomId} />
    case 'person':
      return <Person userId={of} roomId={roomEntry.roomId} />
    case 'shield':
      return (
        <ShieldExplanation
          shield="not-authentic"
          sender="@jonas:court.example"
          keyGivenBy="@samir:clinic.example"
          onClose={() => {}}
        />
      )
    default:
      return <p>Letro</p>
  }
}

if (of !== '' && query.get('view') === 'verification') {
  const flow = makeFlow(JSON.parse(of))
  flows.push(flow)
  if (flow.requestedByUs) await askToVerify({ userId: flow.userId, roomId: flow.roomId ?? '' })
}
await setManner({
  language: (query.get('language') ?? 'en') as 'en',
  theme: (query.get('theme') ?? 'light') as 'light',
})
render(
  <main class={`shows-${query.get('view')}`}>
    <View />
    <VerificationDialog />
    <Toasts />
  </main>,
  document.getElementById('app')!,
)
document.body.dataset['ready'] = 'yes'

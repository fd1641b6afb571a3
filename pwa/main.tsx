/** The page: words first, then the view that the account's state asks for. */
import './views/fonts.css'
import './views/tokens.css'
import './views/base.css'
import { render } from 'preact'
import { setManner } from './i18n/i18n.ts'
import { Toasts } from './views/parts/toast.tsx'
import { followAddress } from './views/route.ts'

function App() {
  return (
    <>
      <p class="wordmark">
        letro<i>.</i>
      </p>
      <Toasts />
    </>
  )
}

followAddress()
await setManner({})
render(<App />, document.getElementById('app')!)

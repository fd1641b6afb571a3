import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Failure } from './notice.tsx'
import { Skeleton } from './skeleton.tsx'

/** A view that is loaded when it is first shown. Not loaded is said, with a way to try again; never a blank page. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null
  return function Lazy(props: P) {
    const [View, setView] = useState<ComponentType<P> | null>(() => loaded)
    const [error, setError] = useState<unknown>(null)
    const [attempt, setAttempt] = useState(0)
    useEffect(() => {
      const show = (view: ComponentType<P>) => {
        loaded = view
        setView(() => view)
      }
      // Somebody else's loading may have ended between our first drawing and now.
      if (loaded) return show(loaded)
      setError(null)
      load().then(show, () => setError({ code: 'OFFLINE' }))
    }, [attempt])
    if (error) return <Failure error={error} onRetry={() => setAttempt(attempt + 1)} />
    return View ? <View {...props} /> : <Skeleton />
  }
}

/** One act at a time: whether it runs, and why it failed. */
import { useEffect, useRef, useState } from 'preact/hooks'

export interface Act {
  readonly busy: boolean
  readonly error: unknown
  /** True: it was done. */
  readonly act: (what: () => Promise<unknown>) => Promise<boolean>
  readonly clear: () => void
}

export function useAct(): Act {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const isHere = useRef(true)
  useEffect(
    () => () => {
      isHere.current = false
    },
    [],
  )
  const act = async (what: () => Promise<unknown>) => {
    setBusy(true)
    setError(null)
    try {
      await what()
      return true
    } catch (failure) {
      if (isHere.current) setError(failure)
      return false
    } finally {
      if (isHere.current) setBusy(false)
    }
  }
  return { busy, error, act, clear: () => setError(null) }
}

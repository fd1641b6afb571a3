/** What the worker answers to a question, asked again when a notice concerns it. */
import { useEffect, useState } from 'preact/hooks'
import { type Notice, onNotice } from './account.ts'

export interface Asked<T> {
  /** Null: not answered yet. */
  readonly answer: T | null
  readonly error: unknown
  readonly again: () => void
}

/** `key` names the question: another key, another question. The answer before stays until the new one is here. */
export function useAsked<T>(
  key: string,
  ask: () => Promise<T>,
  concerns: (notice: Notice) => boolean = () => false,
): Asked<T> {
  const [state, setState] = useState<{ key: string; answer: T | null; error: unknown }>({
    key,
    answer: null,
    error: null,
  })
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let gone = false
    let isAsking = false
    let isStale = false
    // However much is told while it is asked, it is asked once more.
    const read = async () => {
      isStale = isAsking
      if (isAsking) return
      isAsking = true
      try {
        const answer = await ask()
        if (!gone) setState({ key, answer, error: null })
      } catch (error) {
        if (!gone) setState(before => ({ key, answer: before.key === key ? before.answer : null, error }))
      }
      isAsking = false
      if (isStale && !gone) await read()
    }
    void read()
    const stop = onNotice(notice => {
      if (concerns(notice)) void read()
    })
    return () => {
      gone = true
      stop()
    }
  }, [key, attempt])
  const isSame = state.key === key
  return {
    answer: isSame ? state.answer : null,
    error: isSame ? state.error : null,
    again: () => setAttempt(before => before + 1),
  }
}

/** Looks again this long after each outcome while something goes on. An answer that failed to come does not end it. */
export function useAskingAgain({ answer, error, again }: Asked<unknown>, everyMs: number | null): void {
  useEffect(() => {
    if (everyMs === null) return
    const timer = setTimeout(again, everyMs)
    return () => clearTimeout(timer)
  }, [answer, error, everyMs])
}

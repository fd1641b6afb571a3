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
    const read = () =>
      ask().then(
        answer => {
          if (!gone) setState({ key, answer, error: null })
        },
        error => {
          if (!gone) setState(before => ({ key, answer: before.key === key ? before.answer : null, error }))
        },
      )
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
    again: () => setAttempt(attempt + 1),
  }
}

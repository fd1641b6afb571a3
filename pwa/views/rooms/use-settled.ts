import { useEffect, useRef, useState } from 'preact/hooks'

const pauseMs = 150

/** What somebody types, once they pause. */
export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}

/** The answer to the question before, until the one to this question is here: a list that is typed for does not flicker. */
export function useKept<T>(answer: T | null): T | null {
  const kept = useRef<T | null>(null)
  if (answer !== null) kept.current = answer
  return kept.current
}

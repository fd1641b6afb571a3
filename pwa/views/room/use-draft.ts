/** What is being written here: kept sealed while it is written, and there again after a reload. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { call } from '../account.ts'
import { type Desk, type Draft, emptyDraft, givenBack, parseDraft, storedDraft, turnedTo } from './draft.ts'

const keepAfterMs = 400

export interface DraftState {
  readonly draft: Draft
  /** The kept one was read; until then nothing overwrites it. */
  readonly isRead: boolean
  readonly change: (next: Draft) => void
  /** What was taken to be sent, and did not leave. */
  readonly giveBack: (unsent: readonly Draft[]) => void
}

/** `threadRoot` null: in the room itself. */
export function useDraft(roomId: string, threadRoot: string | null): DraftState {
  const [draft, setDraft] = useState<Draft>(emptyDraft)
  const [isRead, setRead] = useState(false)
  const latest = useRef<Desk>({ draft, aside: emptyDraft })
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const keep = () => {
    timer.current = null
    const { draft: now, aside } = latest.current
    void call('setDraft', { roomId, threadRoot, draft: storedDraft(now.editing ? aside : now) }).catch(
      () => {},
    )
  }
  const turn = (desk: Desk) => {
    latest.current = desk
    setDraft(desk.draft)
  }
  const keepSoon = () => {
    if (timer.current) clearTimeout(timer.current)
    timer.current = setTimeout(keep, keepAfterMs)
  }
  const change = (next: Draft) => {
    turn(turnedTo(next, latest.current))
    if (next.editing === null) keepSoon()
  }
  const giveBack = (unsent: readonly Draft[]) => {
    turn(givenBack(unsent, latest.current))
    keepSoon()
  }
  useEffect(() => {
    let gone = false
    call('draft', { roomId, threadRoot }).then(
      stored => {
        if (gone) return
        if (latest.current.draft === emptyDraft) turn({ draft: parseDraft(stored), aside: emptyDraft })
        setRead(true)
      },
      () => {
        if (!gone) setRead(true)
      },
    )
    return () => {
      gone = true
      if (timer.current) {
        clearTimeout(timer.current)
        keep()
      }
    }
  }, [roomId, threadRoot])
  return { draft, isRead, change, giveBack }
}

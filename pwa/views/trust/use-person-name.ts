import { useEffect, useState } from 'preact/hooks'
import { call } from '../account.ts'
import { plainName } from '../parts/plain-name.ts'

/** What a person calls themselves, harmless; their id until it is known. */
export function usePersonName(userId: string): string {
  const [name, setName] = useState<string | null>(null)
  useEffect(() => {
    let gone = false
    setName(null)
    call('profile', userId).then(
      profile => {
        if (!gone) setName(plainName(profile.name))
      },
      () => {},
    )
    return () => {
      gone = true
    }
  }, [userId])
  return name ?? userId
}

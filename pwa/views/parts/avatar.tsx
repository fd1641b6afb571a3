import './avatar.css'
import { useEffect, useState } from 'preact/hooks'
import { call } from '../account.ts'
import { isDrawable } from './picture-size.ts'
import { initials, inkOf, plainName } from './plain-name.ts'

const maxBytes = 2 * 1024 * 1024
const firstPauseMs = 15_000
const longestPauseMs = 20 * 60_000
const pictures = new Map<string, Promise<string | null>>()

/** A person or a room: the picture, or initials in their ink. It says nothing that the name beside it does not. */
export function Avatar({
  id,
  name,
  avatar,
  size = 'm',
  square = false,
}: {
  id: string
  name: string | null
  avatar: string | null
  size?: 's' | 'm' | 'l'
  square?: boolean
}) {
  const picture = usePicture(avatar)
  return (
    // The letters are drawn, not text: what is read out and searched is the name beside them.
    <span
      class={`avatar ${size} ink-${inkOf(id)}${square ? ' square' : ''}`}
      aria-hidden="true"
      data-initials={picture ? undefined : initials(plainName(name) ?? id.replace(/^[@!#]/, ''))}
    >
      {picture && <img src={picture} alt="" />}
    </span>
  )
}

/** The address of a picture that the worker fetched; null until it is here, or where it is none that we show. */
function usePicture(mxc: string | null): string | null {
  const [picture, setPicture] = useState<string | null>(null)
  useEffect(() => {
    let gone = false
    let timer: ReturnType<typeof setTimeout> | undefined
    setPicture(null)
    const show = (pauseMs: number) => {
      pictureAt(mxc!).then(
        address => {
          if (!gone) setPicture(address)
        },
        // Of another organisation that is away, say: it comes when it can be had.
        () => {
          if (!gone && pauseMs <= longestPauseMs) timer = setTimeout(() => show(pauseMs * 4), pauseMs)
        },
      )
    }
    if (mxc?.startsWith('mxc://')) show(firstPauseMs)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [mxc])
  return picture
}

/** Rejects where it cannot be had now; null: it is no picture that we show. */
function pictureAt(mxc: string): Promise<string | null> {
  const fetched =
    pictures.get(mxc) ??
    call('media', { mxc, maxBytes, thumbnail: { width: 96, height: 96 } })
      // An SVG is a document: it is never shown from our origin.
      .then(async blob => {
        const isPicture = /^image\/(png|jpeg|webp|gif|avif)$/.test(blob.type)
        return isPicture && (await isDrawable(blob)) ? URL.createObjectURL(blob) : null
      })
  pictures.set(mxc, fetched)
  fetched.catch(() => pictures.delete(mxc))
  return fetched
}

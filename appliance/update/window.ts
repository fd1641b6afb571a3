/** The hours in which the machine may restart by itself, by its own clock and time zone: "02:00-04:00". Pure. */
declare const tag: unique symbol
export type RestartWindow = string & { readonly [tag]: 'RestartWindow' }

/** null: it is none. A window that begins when it ends is none either; one may go over midnight. */
export function parseWindow(text: unknown): RestartWindow | null {
  if (typeof text !== 'string' || !/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/.test(text)) return null
  const [from, to] = text.split('-')
  return from === to ? null : (text as RestartWindow)
}

export function isWithin(window: RestartWindow, now: Date): boolean {
  const [from, to] = window.split('-').map(minutesOf) as [number, number]
  const minutes = now.getHours() * 60 + now.getMinutes()
  return from < to ? minutes >= from && minutes < to : minutes >= from || minutes < to
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number) as [number, number]
  return hours * 60 + minutes
}

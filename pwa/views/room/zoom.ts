/** How a picture is looked at: how large, and how far from the middle. Pure. */
export interface View {
  readonly zoom: number
  readonly x: number
  readonly y: number
}

export const fitted: View = { zoom: 1, x: 0, y: 0 }
const largest = 8

export function zoomed(view: View, by: number): View {
  const zoom = Math.min(largest, Math.max(1, view.zoom * by))
  if (zoom === 1) return fitted
  const scale = zoom / view.zoom
  return { zoom, x: view.x * scale, y: view.y * scale }
}

/** What fits is not moved. */
export function moved(view: View, x: number, y: number): View {
  return view.zoom === 1 ? view : { ...view, x: view.x + x, y: view.y + y }
}

const fewestBars = 50

/** The picture of a sound: bars along a line, those before the place in copper. Said by the slider over it. */
export function Waveform({ levels, at }: { levels: readonly number[]; at: number }) {
  const count = Math.max(fewestBars, levels.length)
  const bars = Array.from(
    { length: count },
    (_, i) => levels[Math.floor((i * levels.length) / count)] ?? 0.08,
  )
  const step = 300 / bars.length
  const path = (from: number, to: number) =>
    bars
      .map((level, i) => {
        if (i < from || i >= to) return ''
        const half = Math.max(1, level * 14)
        return `M${((i + 0.5) * step).toFixed(1)} ${(15 - half).toFixed(1)}v${(2 * half).toFixed(1)}`
      })
      .join('')
  const reached = Math.round(at * bars.length)
  return (
    <svg class="waveform" viewBox="0 0 300 30" preserveAspectRatio="none" aria-hidden="true">
      <path class="heard" d={path(0, reached)} />
      <path d={path(reached, bars.length)} />
    </svg>
  )
}

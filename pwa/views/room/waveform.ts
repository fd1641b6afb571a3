/** The picture of a sound: about a hundred levels, 0 to 1,024. Pure. Spec: MSC3246 */
export const waveformBars = 100
const full = 1024

/** From levels taken while recording, 0 to 1, as many as there were. */
export function waveformOf(levels: readonly number[], bars = waveformBars): number[] {
  if (levels.length === 0) return []
  const count = Math.min(bars, levels.length)
  const peaks = Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * levels.length) / count)
    const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / count))
    return Math.max(...levels.slice(from, to))
  })
  const loudest = Math.max(...peaks, 0.05)
  return peaks.map(peak => Math.round((Math.min(peak, loudest) / loudest) * full))
}

/** The loudness of a stretch of samples, −1 to 1. */
export function loudness(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return samples.length === 0 ? 0 : Math.min(1, Math.sqrt(sum / samples.length) * 2)
}

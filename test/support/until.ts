/**
 * How long tests wait for what comes by itself. Generous: a machine with two cores runs servers, browsers and other
 * tests at once. Only what never happens fails by it.
 */
export const patienceMs = 180_000

/** Asks until it holds. Whoever wants another reason than the condition itself looks again afterwards. */
export async function until(holds: () => unknown, everyMs = 20): Promise<void> {
  const begun = performance.now()
  while (!(await holds())) {
    if (performance.now() - begun > patienceMs) throw new Error(`not within ${patienceMs} ms: ${holds}`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

/** What is wrong with a configuration, in words for whoever wrote it: the key, its value, and what is allowed. */
export interface Problem {
  readonly key: string
  readonly value: string
  readonly allowed: string
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(({ key, value, allowed }) => `${key} = ${value}: ${allowed}`).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** As it would stand in the file, cut where it is long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

export function unknown(key: string, known: readonly string[]): string {
  const near = known.map(name => ({ name, steps: distance(key, name) })).sort((a, b) => a.steps - b.steps)[0]
  const hint = near && near.steps <= 3 ? `; did you mean ${near.name}?` : ''
  return `there is no such key${hint}`
}

/** Levenshtein: how many letters to change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change))
    }
    row = next
  }
  return row[b.length]!
}

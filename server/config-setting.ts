/** One key of the configuration: what it takes, what it is by default, and the line that explains it. */
export type Parse<T> = (value: unknown) => T | undefined

export interface Setting<T> {
  readonly parse: Parse<T>
  readonly allowed: string
  /** As it would stand in the file; '' where the default depends on others. */
  readonly byDefault: string
  readonly doc: string
  /** Where there are a few words to choose from. */
  readonly choices?: readonly string[]
}

export const setting = <T>(parse: Parse<T>, allowed: string, byDefault: string, doc: string): Setting<T> => ({
  parse,
  allowed,
  byDefault,
  doc,
})

/** One of a few words. */
export const choice = <T extends string>(
  choices: readonly T[],
  allowed: string,
  byDefault: string,
  doc: string,
): Setting<T> => ({
  ...setting(value => choices.find(each => each === value), allowed, byDefault, doc),
  choices,
})

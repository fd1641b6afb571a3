/** One key of the configuration: what it takes, what it is by default, and the line that explains it. */
export type Parse<T> = (value: unknown) => T | undefined

export interface Setting<T> {
  readonly parse: Parse<T>
  readonly allowed: string
  /** As it would stand in the file; '' where the default depends on others. */
  readonly byDefault: string
  readonly doc: string
}

export const setting = <T>(parse: Parse<T>, allowed: string, byDefault: string, doc: string): Setting<T> => ({
  parse,
  allowed,
  byDefault,
  doc,
})

/** What `letro` commands end with; scripts rely on it. */
export const exitCodes = {
  done: 0,
  /** It ran, and what it looked at is not well. */
  unsound: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Another process has the data open. */
  inUse: 3,
  /** It could not run: no such folder, no space, data of a newer release. */
  impossible: 4,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

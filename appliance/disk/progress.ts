/** How far something long is, for whoever looks at the console: which step, and how much of it is done (0 to 1). */
export type DiskStep =
  | 'partitions'
  | 'encrypt'
  | 'seal'
  | 'filesystem'
  | 'open'
  | 'stop'
  | 'erase'
  | 'copy'
  | 'compare'
  | 'boot-files'

export type Progress = (step: DiskStep, doneShare: number) => void

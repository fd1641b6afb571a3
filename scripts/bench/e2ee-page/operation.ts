/** What goes between the bench and its worker. */
export type Operation = 'megolm-decrypt' | 'olm-outbound' | 'olm-inbound' | 'session-import'

export interface Asked {
  readonly operation: Operation
  readonly seconds: number
}

export interface Rate {
  /** At the median batch: what else the machine does hits some batches of either side, and counts for neither. */
  readonly perSecond: number
  /** Over all of the time. */
  readonly meanPerSecond: number
}

export interface Rates {
  readonly ours: Rate
  readonly theirs: Rate
}

/** In the page; one call at a time. */
export type MeasureInWorker = (asked: Asked) => Promise<Rates>

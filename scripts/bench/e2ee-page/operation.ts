/** What goes between the bench and its worker. */
export type Operation = 'megolm-decrypt' | 'olm-outbound' | 'olm-inbound' | 'session-import'

export interface Asked {
  readonly operation: Operation
  readonly whose: 'ours' | 'theirs'
  readonly seconds: number
}

export interface Rate {
  readonly perSecond: number
  readonly count: number
}

/** In the page; one call at a time. */
export type MeasureInWorker = (asked: Asked) => Promise<Rate>

/** Loaded before the server where a test wants its clock to be off: days pass between two of its lives, in no time. */
const offsetMs = Number(process.env['TEST_CLOCK_OFFSET_MS'] ?? 0)
const RealDate = Date
const now = () => RealDate.now() + offsetMs

globalThis.Date = class extends RealDate {
  static override now(): number {
    return now()
  }
  constructor(...args: [] | [value: number | string | Date]) {
    super(...((args.length === 0 ? [now()] : args) as [number]))
  }
} as DateConstructor

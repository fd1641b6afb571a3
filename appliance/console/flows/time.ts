/** The machine's time: from servers, or set by hand. A wrong clock breaks certificates and sign-in. */
import { isTimeServer, maxTimeServers } from '#protocol/time-settings.ts'
import { ask, call, type Flow, look, refusal, type Steps, tell, tryCall } from '../flow.ts'
import { choice, fact, field, gap, text, wayOut } from '../page.ts'

export function* time(): Flow {
  const { servers, doubt } = yield* look('timeSettings', null, 'Reading the clock')
  const { chosen } = yield* ask(({ facts, now }) => ({
    title: 'Time',
    blocks: [
      fact('now', `${utc(now)} UTC`),
      fact('servers', servers.join(', ') || 'none: it is set by hand'),
      fact(
        'state',
        facts.isClockSynchronised === null
          ? 'not compared with anything yet'
          : facts.isClockSynchronised
            ? 'kept right'
            : 'no server has answered',
        facts.isClockSynchronised === false ? 'warn' : 'ink',
      ),
      gap,
      text(
        'Certificates, sign-in and the times of messages are as right as this clock. It never goes back by itself.',
        'soft',
      ),
      gap,
      ...(doubt === 'ahead'
        ? [
            text(
              'At its start the clock was far ahead of the last time that this machine knows. Is it right?',
              'warn',
            ),
            gap,
            choice('right', 'It is right'),
          ]
        : []),
      choice('servers', 'Time servers'),
      choice('hand', 'Set it by hand'),
      wayOut(),
    ],
  }))
  if (chosen === 'right') yield* call('confirmClock', null, 'Keeping the clock')
  if (chosen === 'servers') {
    const { values, chosen: sure } = yield* ask(
      {
        title: 'Time servers',
        blocks: [
          text("Your organisation's NTP servers. Nothing else is asked."),
          gap,
          field('servers', 'servers', {
            value: servers.join(' '),
            hint: 'Names or addresses, with spaces between. Empty: none, the clock is set by hand.',
          }),
          choice('set', 'Use them'),
          wayOut(),
        ],
      },
      {
        check: ({ servers: typed = '' }) =>
          isTimeServers(typed) ? {} : { servers: 'At most eight names or addresses, with spaces between.' },
      },
    )
    if (sure === 'back') return 'done'
    yield* call('setTimeServers', { servers: timeServersIn(values['servers']) }, 'Setting the time servers')
    yield* tell('The time servers are set.', [
      fact('servers', timeServersIn(values['servers']).join(', ') || 'none'),
    ])
  }
  if (chosen === 'hand') {
    const { values, chosen: sure } = yield* ask(
      {
        title: 'Set the clock by hand',
        blocks: [
          text('By a clock that you trust, in UTC.'),
          gap,
          field('time', 'UTC', { hint: 'Such as 2026-11-21 18:05. It is taken at the moment of Enter.' }),
          choice('set', 'Set it'),
          wayOut(),
        ],
      },
      {
        check: ({ time: typed = '' }) =>
          tsIn(typed) === null
            ? { time: 'A day and a time of this century are needed, such as 2026-11-21 18:05.' }
            : {},
      },
    )
    if (sure === 'back') return 'done'
    const ts = tsIn(values['time'] ?? '')!
    if (!(yield* setClock(ts))) return 'done'
    yield* tell('The clock is set.', [fact('to', `${utc(ts)} UTC`)])
  }
  return 'done'
}

/** Behind what is known to have been only after asking. false: given up. */
function* setClock(ts: number): Steps<boolean> {
  const result = yield* tryCall('setClock', { ts, evenBack: false }, 'Setting the clock')
  if (result.ok) return true
  const { chosen } = yield* ask({
    title: 'The clock was not set.',
    blocks: [
      ...refusal(result),
      gap,
      wayOut(),
      ...(result.code === 'CLOCK_BACK' ? [choice('even', 'Set it back all the same')] : []),
    ],
  })
  if (chosen !== 'even') return false
  yield* call('setClock', { ts, evenBack: true }, 'Setting the clock')
  return true
}

export const utc = (ts: number): string => new Date(ts).toISOString().slice(0, 16).replace('T', ' ')

/** null: no moment that this machine can have. */
export function tsIn(typed: string): number | null {
  const found =
    /^\s*(20[0-9]{2})-([0-9]{1,2})-([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*$/.exec(typed)
  if (!found) return null
  const [year, month, day, hour, minute, second] = found.slice(1).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const ts = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(ts)
  const isSame =
    back.getUTCMonth() === month - 1 && back.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  return isSame && year >= 2026 ? ts : null
}

export const timeServersIn = (typed: string | undefined): string[] =>
  (typed ?? '').split(/[\s,]+/).filter(Boolean)

export function isTimeServers(typed: string): boolean {
  const servers = timeServersIn(typed)
  return servers.length <= maxTimeServers && servers.every(isTimeServer)
}

/**
 * What waits for each peer, and why. Peers are named by their server name; what waits is a number.
 *
 * A peer by bundle is not late: it is as late as the medium that carries it.
 */
import type { OutboundStatus } from '../peers/outbound.ts'
import type { Pin } from '../peers/pin.ts'
import type { ServerName } from '../protocol/ids.ts'
import type { Finding, HealthSource, Reading } from './finding.ts'

export interface PeerQueuesDeps {
  readonly pins: () => Iterable<Pin>
  readonly status: (server: ServerName) => Promise<OutboundStatus>
}

const hourMs = 3_600_000
const warnAfterMs = hourMs
const alarmAfterMs = 24 * hourMs
const long = 10_000

export function openPeerQueues(deps: PeerQueuesDeps): { source: HealthSource; reading: Reading } {
  const queues = async () => {
    const pins = [...deps.pins()].filter(({ peer }) => peer.direction !== 'verify-only')
    return Promise.all(pins.map(async ({ peer }) => ({ peer, status: await deps.status(peer.serverName) })))
  }

  return {
    source: async now =>
      (await queues()).flatMap(({ peer, status }): Finding[] => {
        const { length, oldestTs, lastError } = status
        // Suspended: an administrator said so.
        if (peer.suspended || peer.transport !== 'https' || length === 0) return []
        const waitedMs = oldestTs === undefined ? 0 : now - oldestTs
        const facts = {
          length,
          waited_ms: waitedMs,
          ...(lastError === undefined ? {} : { last_error: lastError }),
        }
        const subject = peer.serverName
        if (lastError !== undefined && waitedMs >= warnAfterMs) {
          const severity = waitedMs >= alarmAfterMs ? 'alarm' : 'warning'
          return [{ code: 'peer.unreachable', severity, subject, facts }]
        }
        return length >= long ? [{ code: 'peer.queue-long', severity: 'warning', subject, facts }] : []
      }),

    reading: async () => {
      const all = await queues()
      if (all.length === 0) return null
      return {
        peers: all.map(({ peer, status }) => ({
          server_name: peer.serverName,
          transport: peer.transport,
          suspended: peer.suspended,
          length: status.length,
          ...(status.oldestTs === undefined ? {} : { oldest_ts: status.oldestTs }),
          ...(status.lastError === undefined ? {} : { last_error: status.lastError }),
          ...(status.nextTryTs === undefined ? {} : { next_try_ts: status.nextTryTs }),
        })),
      }
    },
  }
}

/**
 * What time it is, as a time server says. Before anything is issued by this machine's clock.
 *
 * Spec: RFC 4330 (SNTP) sections 4 and 5: one packet there, one back; no authentication, so it tells a wrong clock, not an
 * attacker.
 */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'

export interface TimeReading {
  /** How far this machine is behind (positive) or ahead. */
  readonly offsetMs: number
}

const timeoutMs = 3_000
/** Seconds from 1900 to 1970. */
const epochSeconds = 2_208_988_800

/** null: no answer, or none that counts. */
export function askTimeServer(
  host: string,
  clock: () => number = Date.now,
  port = 123,
): Promise<TimeReading | null> {
  return new Promise(resolve => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    const end = (reading: TimeReading | null) => {
      clearTimeout(timer)
      socket.close()
      resolve(reading)
    }
    const timer = setTimeout(() => end(null), timeoutMs)
    const request = Buffer.alloc(48)
    // Leap indicator 0, version 4, mode 3 (client). What stands as our time comes back; a stranger cannot know it.
    request[0] = 0x23
    const cookie = randomBytes(8)
    cookie.copy(request, 40)
    const sentTs = clock()
    socket.on('error', () => end(null))
    socket.on('message', answer => {
      const reading = readAnswer(answer, cookie, sentTs, clock())
      if (reading) end(reading)
    })
    socket.send(request, port, host)
  })
}

/** null: not the answer to what was asked. */
export function readAnswer(
  answer: Uint8Array,
  cookie: Uint8Array,
  sentTs: number,
  receivedTs: number,
): TimeReading | null {
  const bytes = Buffer.from(answer)
  if (bytes.length < 48) return null
  const mode = bytes[0]! & 0x07
  const leap = bytes[0]! >> 6
  const stratum = bytes[1]!
  // Leap 3: its clock is not set. Stratum 0: it refuses ("kiss of death").
  if (mode !== 4 || leap === 3 || stratum === 0 || stratum > 15) return null
  if (!bytes.subarray(24, 32).equals(Buffer.from(cookie))) return null
  const [receiveTs, transmitTs] = [timestamp(bytes, 32), timestamp(bytes, 40)]
  if (receiveTs === null || transmitTs === null) return null
  return { offsetMs: Math.round((receiveTs - sentTs + (transmitTs - receivedTs)) / 2) }
}

/** Spec: section 3: seconds below 2³¹ count from 2036 on. */
function timestamp(bytes: Buffer, at: number): number | null {
  const seconds = bytes.readUInt32BE(at)
  if (seconds === 0) return null
  const since1900 = seconds < 2 ** 31 ? seconds + 2 ** 32 : seconds
  return (since1900 - epochSeconds) * 1000 + (bytes.readUInt32BE(at + 4) / 2 ** 32) * 1000
}

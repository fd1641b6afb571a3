/**
 * The worker process: Argon2id and image work, away from the event loop and from LevelDB's threads.
 *
 * It has no access to the store, the network or other programs (see worker-process.ts for what it is started with), and
 * gives way to the server where both want the processor.
 */
import { setPriority } from 'node:os'
import { hashPassword, verifyPassword } from './argon2id.ts'
import type { AnswerMessage, JobMessage, Jobs } from './worker-protocol.ts'

setPriority(5)

async function run({ kind, asks }: JobMessage): Promise<Jobs[keyof Jobs]['gives']> {
  switch (kind) {
    case 'hash':
      return hashPassword((asks as Jobs['hash']['asks']).password)
    case 'verify': {
      const { hash, password } = asks as Jobs['verify']['asks']
      return verifyPassword(hash, password)
    }
    case 'thumbnail': {
      // Loaded at the first picture: 30 MB that a server without pictures need not hold.
      const { makeThumbnail } = await import('./media/thumbnail.ts')
      return makeThumbnail(asks as Jobs['thumbnail']['asks'])
    }
    default:
      return kind satisfies never
  }
}

const answer = (message: AnswerMessage) => process.send?.(message)

process.on('message', (message: JobMessage) => {
  run(message).then(
    gives => answer({ id: message.id, gives }),
    (error: unknown) => answer({ id: message.id, failed: error instanceof Error ? error.name : 'Error' }),
  )
})
// The server is gone: so are we.
process.on('disconnect', () => process.exit(0))
// A terminal sends Ctrl-C to both; the server still needs us while it drains.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

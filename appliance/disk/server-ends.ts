/** How often the server ended by itself since the machine started, and was started again. */
import type { Machine } from './machine.ts'

export async function serverEnds({ run }: Pick<Machine, 'run'>): Promise<number> {
  const { stdout } = await run('systemctl', ['show', '--property=NRestarts', 'letro-server.service'])
  return Number(/^NRestarts=(\d+)$/m.exec(stdout)?.[1] ?? 0)
}

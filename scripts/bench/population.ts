/** People and rooms on any Matrix server that lets one register with `m.login.dummy`. */
import { randomBytes } from 'node:crypto'
import { RawConnection } from './raw-client.ts'

export interface Person {
  readonly userId: string
  readonly token: string
  readonly password: string
}

export interface Population {
  readonly people: readonly Person[]
  readonly rooms: readonly string[]
  /** Which rooms a person is in, by index. */
  roomsOf(person: number): readonly string[]
}

/** `count` people in rooms of `roomSize`. */
export async function populate(base: string, count: number, roomSize: number): Promise<Population> {
  const people = await registerPeople(base, count)
  const rooms: string[] = []
  for (let first = 0; first < count; first += roomSize)
    rooms.push(await makeRoom(base, people[first]!, people.slice(first + 1, first + roomSize)))
  return { people, rooms, roomsOf: person => [rooms[Math.floor(person / roomSize)]!] }
}

export async function registerPeople(base: string, count: number): Promise<Person[]> {
  const run = randomBytes(4).toString('hex')
  const people: Person[] = []
  // Hashing a password is meant to be slow, and its queue is short.
  await inParallel(
    4,
    count,
    async (connection, i) => {
      const password = `bench-${run}-${i}-password`
      const answer = await call(connection, 'POST', '/_matrix/client/v3/register', undefined, {
        username: `bench-${run}-${i}`,
        password,
        auth: { type: 'm.login.dummy' },
      })
      people[i] = { userId: answer['user_id'] as string, token: answer['access_token'] as string, password }
    },
    base,
  )
  return people
}

export async function makeRoom(base: string, creator: Person, others: readonly Person[]): Promise<string> {
  const connection = await RawConnection.open(base)
  const { room_id: roomId } = await call(connection, 'POST', '/_matrix/client/v3/createRoom', creator.token, {
    preset: 'public_chat',
  })
  for (const person of others)
    await call(
      connection,
      'POST',
      `/_matrix/client/v3/join/${encodeURIComponent(roomId as string)}`,
      person.token,
      {},
    )
  connection.close()
  return roomId as string
}

export async function call(
  connection: RawConnection,
  method: string,
  path: string,
  token: string | undefined,
  body?: object,
): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = await connection.request(method, path, token, body && JSON.stringify(body))
    const parsed = JSON.parse(answer.body) as Record<string, unknown>
    if (answer.status === 200) return parsed
    if (answer.status !== 429)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`)
    await new Promise(resolve => setTimeout(resolve, Number(parsed['retry_after_ms'] ?? 200)))
  }
}

export async function inParallel(
  width: number,
  count: number,
  act: (connection: RawConnection, i: number) => Promise<void>,
  base: string,
): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(width, count) }, async () => {
      const connection = await RawConnection.open(base)
      while (next < count) await act(connection, next++)
      connection.close()
    }),
  )
}

/** Tests run side by side, and each is told its ports before anybody listens there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { freePort } from './free-port.ts'

const module = join(import.meta.dirname, 'free-port.ts')
/** Says its ports, and lives on until it is told to end. */
const taking = `
  const { freePort } = await import(${JSON.stringify(module)})
  console.log(JSON.stringify(await Promise.all(Array.from({ length: 50 }, freePort))))
  process.stdin.resume()`

test('programs that run side by side are given no port twice, and none that outgoing connections take', async t => {
  const programs = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', taking], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  t.teardown(() => {
    for (const { stdin } of programs) stdin.end()
  })
  const said = programs.map(async ({ stdout }): Promise<number[]> => {
    const [line] = await once(createInterface({ input: stdout }), 'line')
    return JSON.parse(line)
  })
  const ports = (await Promise.all(said)).flat()
  t.is(ports.length, 200)
  t.is(new Set(ports).size, 200)
  t.true(ports.every(port => port > 16_384 && port < 32_768))
})

test('a port at which somebody listens, on whatever address, is passed over', async t => {
  const taken = (await freePort()) + 1
  const other = createServer().listen(taken, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  t.not(await freePort(), taken)
})

/** Runs inside one of the two namespaces (two-hosts.ts): listens, or tries to reach. */
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Probe } from './two-hosts.ts'

const [what, json] = process.argv.slice(2)
const waitMs = 3000

if (what === 'listen') {
  const ports = JSON.parse(json!) as number[]
  await Promise.all(
    ports.flatMap(port => [listenTcp(port), ...addresses().map(address => listenUdp(address, port))]),
  )
  process.stdout.write('listening\n')
  process.stdin.resume().on('end', () => process.exit())
} else {
  const probes = JSON.parse(json!) as Probe[]
  const reached = await Promise.all(
    probes.map(probe => (probe.by === 'tcp' ? reachTcp(probe) : reachUdp(probe))),
  )
  process.stdout.write(JSON.stringify(reached))
  process.exit()
}

function listenTcp(port: number): Promise<void> {
  return new Promise(resolve => {
    createServer(socket => socket.on('error', () => {}).end('hello')).listen(port, '::', resolve)
  })
}

/** A socket for each address: an answer comes from where it was asked. */
function listenUdp(address: string, port: number): Promise<void> {
  return new Promise(resolve => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', (message, from) => socket.send(message, from.port, from.address))
    socket.bind(port, address, resolve)
  })
}

function addresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  return all.filter(({ scopeid }) => !scopeid).map(({ address }) => address)
}

function reachTcp({ to, port, from }: Probe): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: to, port, ...(from ? { localAddress: from } : {}) })
    const end = (reached: boolean) => {
      socket.destroy()
      resolve(reached)
    }
    socket.on('data', () => end(true))
    socket.on('error', () => end(false))
    setTimeout(() => end(false), waitMs)
  })
}

function reachUdp({ to, port, from, sourcePort = 0 }: Probe): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createSocket(to.includes(':') ? 'udp6' : 'udp4')
    const end = (reached: boolean) => {
      socket.removeAllListeners()
      socket.on('error', () => {})
      resolve(reached)
    }
    socket.on('message', () => end(true))
    socket.on('error', () => end(false))
    socket.bind(sourcePort, from, () => socket.send('x', port, to, error => error && end(false)))
    setTimeout(() => end(false), waitMs)
  })
}

/**
 * The connections of one listening server, so that it can stop: those without a request end at once, the others
 * with their answer, and after the grace whatever is left is cut.
 *
 * `server.closeIdleConnections()` is not used: it counts an answer as over when its last byte is written, and
 * so cuts what a slow client has yet to take.
 */
import type { Server, ServerResponse } from 'node:http'
import { type Socket, Server as TcpServer } from 'node:net'

export interface Connections {
  /** Takes no new connection, lets requests finish, cuts after `graceMs`. Resolves when none is open. */
  close(graceMs: number): Promise<void>
}

/** @param tls whether the server speaks TLS: requests then arrive on other sockets than connections do */
export function trackConnections(server: Server, tls: boolean): Connections {
  // A connection in the middle of its TLS handshake is open, and speaks to nobody yet.
  const open = new Set<Socket>()
  const speaking = new Map<Socket, Set<ServerResponse>>()
  let closing = false

  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    speaking.set(socket, new Set())
    socket.once('close', () => speaking.delete(socket))
    if (closing) socket.destroy()
  })
  server.prependListener('request', ({ socket }, response) => {
    const unanswered = speaking.get(socket)
    if (!unanswered) return
    unanswered.add(response)
    if (closing) response.setHeader('Connection', 'close')
    response.once('close', () => {
      unanswered.delete(response)
      if (closing && unanswered.size === 0) socket.destroySoon()
    })
  })

  return {
    async close(graceMs) {
      closing = true
      const closed = new Promise<void>(resolve => {
        // The HTTP server's own close() would begin with closeIdleConnections().
        TcpServer.prototype.close.call(server, () => resolve())
      })
      for (const [socket, unanswered] of speaking) {
        if (unanswered.size === 0) socket.destroy()
        for (const response of unanswered) {
          if (!response.headersSent) response.setHeader('Connection', 'close')
        }
      }
      const cut = setTimeout(() => {
        for (const socket of open) socket.destroy()
      }, graceMs)
      await closed
      clearTimeout(cut)
    },
  }
}

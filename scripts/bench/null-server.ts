/** A server that does nothing: bare node:http (`raw`), or our whole way of a request in front of it. */
import { createServer } from 'node:http'
import { parseBody } from '../../server/http/body.ts'
import { noRateLimits } from '../../server/http/rate-limit.ts'
import { requestListener } from '../../server/http/server.ts'

const answer = Buffer.from('{"event_id":"$0000000000000000000000000000000000000000000"}')
const silent = () => {}

const listener =
  process.argv[2] === 'raw'
    ? createServer((req, res) => {
        const chunks: Buffer[] = []
        req.on('data', chunk => chunks.push(chunk))
        req.on('end', () => {
          JSON.parse(Buffer.concat(chunks).toString())
          res.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
          res.end(answer)
        })
      })
    : createServer(
        requestListener({
          routes: [
            {
              method: 'PUT',
              path: '/null/:thing',
              steps: [
                parseBody,
                ctx => {
                  ctx.body = { event_id: '$0000000000000000000000000000000000000000000' }
                },
              ],
            },
          ],
          limits: noRateLimits,
          log: { info: silent, warn: silent, error: silent },
          https: false,
        }),
      )

listener.listen(0, '127.0.0.1', () => {
  const address = listener.address()
  process.send!({ port: typeof address === 'object' && address ? address.port : 0 })
})
process.on('message', message => {
  if (message !== 'counters') return
  const { user, system } = process.cpuUsage()
  process.send!({ cpuMicroseconds: user + system })
})
process.on('disconnect', () => process.exit(0))

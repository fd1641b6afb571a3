/** The program of letro-firewall.service: brings name servers and rules to what is known, once. */
import { lookup } from 'node:dns/promises'
import { thisMachine } from '../program.ts'
import { refreshFirewall } from './firewall.ts'
import { askServer } from './server-facts.ts'

const report = await refreshFirewall(thisMachine(), {
  ask: askServer,
  lookup: async name => {
    try {
      return (await lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address)
    } catch {
      return null
    }
  },
  now: Date.now(),
})
if (!report.loaded) {
  process.stderr.write(
    `The new firewall rules do not load; those before are in force. nft says: ${report.error}\n`,
  )
  process.exitCode = 1
}

import { Synapse } from './support/synapse.ts'
import { TestAuthority } from './support/certificates.ts'
import { startFederated, pinHomeserver } from './support/federated.ts'
const a = new TestAuthority()
const l = await startFederated('letro.test', a)
const s = await Synapse.start({authority: a, peers: [l.serverName]})
await pinHomeserver(l, s, a)
console.log((await l.admin('GET','/peers')).body)
console.log(l.process.output.slice(-800))
const r = await fetch(s.base+'/_matrix/client/versions')
console.log(r.status)
await s.remove(); await l.process.remove()

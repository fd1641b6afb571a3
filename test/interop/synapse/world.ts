/** Our server and a real Synapse, each pinned to the other, with people on both. */
import { TestAuthority } from '../../support/certificates.ts'
import { type FederatedServer, pinHomeserver, startFederated } from '../../support/federated.ts'
import type { FederationPeer } from '../../support/federation-peer.ts'
import { Synapse } from '../../support/synapse.ts'
import { Person } from './person.ts'

const password = 'correct horse battery staple'

export class World {
  readonly letro: FederatedServer
  readonly synapse: Synapse

  private constructor(letro: FederatedServer, synapse: Synapse) {
    this.letro = letro
    this.synapse = synapse
  }

  /** `settings`: of ours, named as in `letro.toml`. `others`: peers of both, with certificates of this authority. */
  static async open(
    settings: Readonly<Record<string, string>> = {},
    authority = new TestAuthority(),
    others: readonly FederationPeer[] = [],
  ): Promise<World> {
    const letro = await startFederated('letro.test', settings)
    const synapse = await Synapse.start({ authority, peers: [letro, ...others] })
    for (const peer of [synapse, ...others]) await pinHomeserver(letro, peer, authority)
    return new World(letro, synapse)
  }

  async atLetro(name: string): Promise<Person> {
    return new Person(this.letro.process.base, await this.letro.process.register(name, password))
  }

  async atSynapse(name: string): Promise<Person> {
    return new Person(this.synapse.base, await this.synapse.register(name, password))
  }

  /** What both have said, for a test that fails. */
  get words(): string {
    return `${this.letro.process.output.slice(-6_000)}\n──\n${this.synapse.log().slice(-6_000)}`
  }

  async close(): Promise<void> {
    await Promise.all([this.letro.process.remove(), this.synapse.remove()])
  }
}

/**
 * A machine that was set up and switched off in order. The first test that needs one makes it (two starts), every test gets a
 * copy: disk, firmware and TPM. Nobody has opened the first administrator's link.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { answers, provisioningStick, type SetUp, setUpFromStick } from './first-start.ts'
import type { Machine, MachineOptions } from './machine.ts'
import { Operator } from './operator.ts'
import { People } from './people.ts'
import { powerOn, prepared, putAway, settings } from './settings.ts'
import { Site } from './site.ts'
import { applyUpdate } from './updating.ts'

/** `updated`: the next release runs in slot B, and this one lies in slot A. */
export type GoldenKind = 'fresh' | 'updated'

/** Off. @returns what was written down when it was set up */
export async function copyOfGolden(name: string, kind: GoldenKind = 'fresh'): Promise<SetUp> {
  const { folder } = prepared()
  const golden = join(folder, `golden-${kind}`)
  if (!existsSync(golden)) await makeGolden(kind)
  const own = join(folder, name)
  rmSync(own, { recursive: true, force: true })
  mkdirSync(own)
  for (const part of ['disk.qcow2', 'firmware.fd', 'tpm'])
    cpSync(join(golden, part), join(own, part), { recursive: true })
  return JSON.parse(readFileSync(join(golden, 'set-up.json'), 'utf8'))
}

export class SiteMachine {
  readonly name: string
  setUp!: SetUp
  readonly site = new Site(answers.origin, { port: port => this.machine.port(port) })
  machine!: Machine
  people!: People
  #isOn = false

  /** A copy of the golden one, on, with two people who have written to each other. */
  static async withPeople(
    t: ExecutionContext,
    name: string,
    kind?: GoldenKind,
  ): Promise<{ own: SiteMachine; operator: Operator }> {
    const own = await SiteMachine.copy(name, kind)
    const operator = await own.powerOn(t)
    await own.serves()
    await own.meet()
    return { own, operator }
  }

  /** A copy of the golden one, off. */
  static async copy(name: string, kind?: GoldenKind): Promise<SiteMachine> {
    const own = new SiteMachine(name)
    own.setUp = await copyOfGolden(name, kind)
    return own
  }

  /** A new one, set up from a stick, on, with two people who have written to each other. */
  static async fromStick(
    t: ExecutionContext,
    name: string,
    options: Partial<MachineOptions>,
    said: object = answers,
  ): Promise<SiteMachine> {
    const own = new SiteMachine(name)
    await own.powerOn(t, { sticks: { letroconf: provisioningStick(said) }, ...options })
    own.setUp = await setUpFromStick(own.machine)
    await own.serves(settings.setUpMs)
    await own.meet()
    return own
  }

  private constructor(name: string) {
    this.name = name
  }

  async powerOn(t: ExecutionContext, options: Partial<MachineOptions> = {}): Promise<Operator> {
    this.machine = await powerOn(this.name, options)
    if (!this.#isOn) {
      t.timeout(60 * 60_000)
      t.teardown(async () => {
        this.people?.leave()
        await putAway(t, this.machine)
      })
    }
    this.#isOn = true
    return new Operator(this.machine)
  }

  /** Until people are served; the first time they learn to trust its authority. */
  async serves(timeoutMs: number = settings.bootMs): Promise<void> {
    if (!this.site.isTrusted) await this.site.trust(timeoutMs)
    await this.site.answers(timeoutMs)
  }

  /** Two people enrol and write. */
  async meet(): Promise<void> {
    this.people = await People.meet(this.site, this.setUp.link)
    await this.people.say('Welcome to the clinic')
  }

  /** All that was acknowledged is there, and people go on. */
  async keepsItsPromise(t: ExecutionContext): Promise<void> {
    const { people } = this
    t.deepEqual(
      await people.readAll(),
      people.messages.map(({ text }) => text),
    )
    await people.say(`still here, ${people.messages.length}`)
  }
}

async function makeGolden(kind: GoldenKind): Promise<void> {
  const { folder } = prepared()
  const name = `golden-${kind}.new`
  const own = join(folder, name)
  rmSync(own, { recursive: true, force: true })
  let setUp: SetUp
  let machine: Machine
  if (kind === 'fresh') {
    machine = await powerOn(name, { sticks: { letroconf: provisioningStick() } })
  } else {
    setUp = await copyOfGolden(name)
    machine = await powerOn(name)
  }
  try {
    if (kind === 'fresh') setUp = await setUpFromStick(machine)
    else await applyUpdate(new Operator(machine), machine, prepared().next)
    await machine.powerOff()
  } catch (error) {
    await machine.keepLast()
    await machine.cut()
    throw error
  }
  writeFileSync(join(own, 'set-up.json'), JSON.stringify(setUp!))
  renameSync(own, join(folder, `golden-${kind}`))
}

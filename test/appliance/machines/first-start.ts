/** From a new machine to the first administrator's link, as somebody does it who has a stick, a sheet of paper and a pencil. */
import type { Machine } from './machine.ts'
import { Operator } from './operator.ts'
import { prepared, settings } from './settings.ts'
import { makeStick } from './stick.ts'
import { Tools } from './tools.ts'

export interface SetUp {
  /** As it was written down. */
  readonly recoveryKey: string
  /** The first administrator's. */
  readonly link: string
  /** The authority's fingerprint in words, as the console showed it. */
  readonly words: readonly string[]
}

export const answers = {
  letro: 1,
  server_name: 'clinic.test',
  origin: 'https://chat.clinic.test',
  administrator: 'amal',
  certificate: { from: 'own' },
} as const

/** A provisioning stick. @returns its image */
export function provisioningStick(said: object = answers): string {
  const { tools, folder } = prepared()
  return makeStick(new Tools(tools), folder, 'LETROCONF', { files: { 'letro.json': JSON.stringify(said) } })
}

export const noStick = { none: /No provisioning stick is plugged in/, again: 'Look again' }

interface Choices {
  /** On a machine without a TPM. */
  readonly passphrase?: string
}

/** The machine is switched on, with a stick in it. */
export async function setUpFromStick(machine: Machine, { passphrase }: Choices = {}): Promise<SetUp> {
  const operator = new Operator(machine)
  await operator.sees(/Welcome\. This machine is new\./, settings.bootMs)
  await operator.choose('Set it up from a stick')
  await operator.finds(/Set up this machine as the stick says\?/, noStick)
  await operator.sees(/chat\.clinic\.test/)
  await operator.choose('Yes, as it stands here')
  const recoveryKey = await makeDisk(operator, passphrase)
  await operator.sees(/Look at these before the first link is made/, settings.setUpMs)
  const words = (await operator.copies('fingerprint')).join(' ').split(/\s+/)
  await operator.choose('They are right: make the link')
  await operator.sees(/The link of the first administrator/, settings.pageMs)
  const link = (await operator.copies('link')).join('')
  await operator.choose('Done: take it from the screen')
  return { recoveryKey, link, words }
}

/** @returns the recovery key, which was copied from the screen and typed back */
export async function makeDisk(operator: Operator, passphrase?: string): Promise<string> {
  if (passphrase === undefined) {
    await operator.sees(/What the TPM asks before it opens the disk/, settings.pageMs)
    await operator.choose('A signed system')
  } else {
    await operator.sees(/This machine has no TPM: a passphrase/, settings.pageMs)
    await operator.fill(passphrase, passphrase)
  }
  await operator.sees(/The recovery key: write it down now/, settings.pageMs)
  const key = (await operator.copies('recovery key')).join('')
  await operator.choose('I have written it down')
  await operator.sees(/Type the recovery key from your paper/, settings.pageMs)
  await operator.fill(key)
  return key
}

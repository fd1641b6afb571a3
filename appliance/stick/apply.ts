/**
 * Sets this machine up with what was read from a stick, or typed at the console.
 *
 * A new site is there whole or not at all: pending.ts says what a crash leaves. On a site that runs, the stick's certificate is
 * imported first, because it alone can be refused now; then peers, network and time. Each of these is whole in itself, and after
 * a crash the same stick is applied again: what was done is no news.
 */
import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import {
  type FieldProblem,
  type NetworkSettings,
  type Parsed,
  parseNetworkSettings,
} from '#protocol/network-settings.ts'
import { stickFile } from '#protocol/stick.ts'
import { parseTimeSettings, type TimeSettings } from '#protocol/time-settings.ts'
import { writeNetwork, writeTime } from '../network/settings.ts'
import { serverUser } from '../paths.ts'
import { type Machine, MachineError } from '../program.ts'
import { text } from './answer-lines.ts'
import { checkStaged, letro } from './letro-command.ts'
import { beginProvisioning, endProvisioning } from './pending.ts'
import { stage, stagedAnswers, stageFile, stagingFolder, unstage } from './staging.ts'

export interface Applied {
  /** What was done, for the screen. */
  readonly lines: readonly string[]
  /** Services that begin anew with what was decided. */
  readonly units: readonly string[]
}

/** All that is wrong with answers that were typed; they have the form of letro.json and name no files. */
export async function checkAnswers(machine: Machine, answers: JsonObject): Promise<readonly FieldProblem[]> {
  stageAnswers(machine, answers)
  try {
    const checked = await checkStaged(machine)
    if (checked.ok) return []
    return checked.problems.length > 0 ? checked.problems : [{ field: '', sentence: checked.sentence }]
  } finally {
    unstage(machine)
  }
}

/** @throws MachineError as applyStick */
export function applyAnswers(machine: Machine, answers: JsonObject): Promise<Applied> {
  stageAnswers(machine, answers)
  return applyStick(machine)
}

/**
 * What `readStick` took, after it was approved. The data must be open.
 * @throws MachineError DATA_CLOSED, SETUP_REFUSED, NOTHING_STAGED
 */
export async function applyStick(machine: Machine): Promise<Applied> {
  const answers = stagedAnswers(machine)
  const network =
    answers['network'] === undefined ? null : mustParse(parseNetworkSettings(answers['network']))
  const time = mustParse(parseTimeSettings(answers['time'] ?? {}))
  const siteExists = existsSync(machine.paths.configFile)
  const lines = siteExists
    ? await changeSite(machine, answers, network, time)
    : await makeSite(machine, answers, network, time)
  unstage(machine)
  // A server that runs sees certificates and peers by itself: nobody is interrupted for them.
  const changed = [
    ...(network ? ['letro-network'] : []),
    ...(answers['time'] === undefined ? [] : ['letro-time']),
  ]
  const units = siteExists
    ? [...changed, ...(changed.length > 0 ? ['letro-firewall'] : [])]
    : ['letro-network', 'letro-clock', 'letro-time', 'letro-firewall', 'letro-server']
  return { lines, units }
}

/** They take up what was decided; returns at once. */
export async function startSite(
  { run }: Pick<Machine, 'run'>,
  { units }: Pick<Applied, 'units'>,
): Promise<void> {
  const names = units.map(unit => `${unit}.service`)
  if (names.length > 0) await run('systemctl', ['--no-block', 'restart', ...names])
  // It may have waited for its certificate; one that runs goes on.
  await run('systemctl', ['--no-block', 'start', 'letro-server.service'])
}

async function makeSite(
  machine: Machine,
  answers: JsonObject,
  network: NetworkSettings | null,
  time: TimeSettings,
): Promise<string[]> {
  const { paths } = machine
  try {
    mkdirSync(paths.site, { recursive: true, mode: 0o700 })
    if (process.getuid?.() === 0) chownSync(paths.site, serverUser.id, serverUser.id)
    beginProvisioning(machine, network, time)
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    throw new MachineError(
      'DATA_CLOSED',
      `Nothing was set up: the data partition is not open, or is full (${code}).`,
      { cause },
    )
  }
  try {
    const file = join(stagingFolder(machine), stickFile)
    const where = ['--config', paths.configFile, '--data', join(paths.site, 'data')]
    const made = await letro(machine, 'init', '--appliance', '--answers', file, ...where)
    if (!made.ok) throw new MachineError('SETUP_REFUSED', made.sentence)
    const request = made.json['certificate_request']
    return [
      `The site ${text(answers['server_name'])} was set up.`,
      ...(typeof request === 'string' ? [`Its certificate must be issued: the request is ${request}.`] : []),
    ]
  } finally {
    endProvisioning(machine)
  }
}

async function changeSite(
  machine: Machine,
  answers: JsonObject,
  network: NetworkSettings | null,
  time: TimeSettings,
): Promise<string[]> {
  const done: string[] = []
  const data = join(machine.paths.site, 'data')
  const must = async (what: string, ...args: string[]) => {
    const answer = await letro(machine, ...args)
    if (answer.ok) return void done.push(what)
    const before = done.length > 0 ? ` Done before: ${done.join(' ')}` : ' Nothing was changed.'
    throw new MachineError('SETUP_REFUSED', `${answer.sentence}${before}`)
  }
  for (const args of certificateArguments(machine, answers))
    await must('The certificate was imported.', ...args, '--data', data)
  for (const [name, file] of peerCards(machine, answers)) {
    await must(`${name} is pinned.`, 'peer', 'pin', file, '--yes', '--data', data)
  }
  if (network) writeNetwork(machine, network)
  if (answers['time'] !== undefined) writeTime(machine, time)
  return [
    ...done,
    ...(network ? ['The network was set.'] : []),
    ...(answers['time'] === undefined ? [] : ['Time was set.']),
  ]
}

/** What an authority issued for a request that was made here. */
function certificateArguments(machine: Machine, answers: JsonObject): string[][] {
  const certificate = isObject(answers['certificate']) ? answers['certificate'] : {}
  const { file, key, passphrase_file: passphrase } = certificate
  const place = (name: unknown) => join(stagingFolder(machine), String(name))
  if (certificate['from'] !== 'organisation' || file === undefined) return []
  const options = [
    ...(key === undefined ? [] : ['--key', place(key)]),
    ...(passphrase === undefined ? [] : ['--passphrase-file', place(passphrase)]),
  ]
  return [['certificate', 'import', place(file), ...options]]
}

/** Their words were held against their cards when the answers were checked. */
function peerCards(machine: Machine, answers: JsonObject): [name: string, file: string][] {
  const peers = Array.isArray(answers['peers']) ? answers['peers'].filter(isObject) : []
  return peers.map((peer, i) => {
    const file = stageFile(machine, `peer-${i}.card.json`, JSON.stringify(peer['card']))
    return [text(isObject(peer['card']) ? peer['card']['server_name'] : ''), file]
  })
}

function stageAnswers(machine: Machine, answers: JsonObject): void {
  stage(machine, [{ name: stickFile, bytes: Buffer.from(JSON.stringify(answers)) }])
}

/** Checked by `letro init --check` before; whoever comes here without has made a mistake. */
function mustParse<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value
  throw new MachineError(
    'SETUP_REFUSED',
    parsed.problems.map(({ field, sentence }) => `${field}: ${sentence}`).join('\n'),
  )
}

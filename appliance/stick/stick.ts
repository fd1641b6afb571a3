/**
 * The provisioning stick: found, read whole into memory, judged, shown. Applying is apply.ts.
 *
 * Whatever is on it, nothing of the machine changes here. A stick that is pulled out in the middle is said to be.
 */
import { existsSync } from 'node:fs'
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { FieldProblem } from '#protocol/network-settings.ts'
import {
  checkStickSignature,
  isStickFileName,
  namedFiles,
  type StickFile,
  stickFile,
  stickFingerprint,
  stickLabel,
  stickSignatureFile,
} from '#protocol/stick.ts'
import { type Machine, MachineError } from '../program.ts'
import { type AnswerLine, answerLines, text } from './answer-lines.ts'
import { checkStaged } from './letro-command.ts'
import { findMedia, withMedium } from './media.ts'
import { readMediumFile } from './read-file.ts'
import { parseAnswers, stage, unstage } from './staging.ts'
import { sha256, siteCard, trustedBy, verify } from './trusted-keys.ts'

export type StickReading =
  | { readonly kind: 'none' }
  /** Nobody can say which is meant: none is taken. */
  | { readonly kind: 'several'; readonly devices: readonly string[]; readonly sentence: string }
  | Refused
  | { readonly kind: 'offer'; readonly offer: StickOffer }

export interface Refused {
  readonly kind: 'refused'
  readonly code: string
  readonly sentence: string
  /** By field of letro.json, where it is about fields. */
  readonly problems: readonly FieldProblem[]
}

export interface StickOffer {
  readonly device: string
  /** Sixteen words over everything that was taken from the stick. `letro stick write` shows the same. */
  readonly fingerprint: readonly string[]
  readonly signature:
    | { readonly kind: 'none' }
    /** By a key that neither image nor site knows. */
    | { readonly kind: 'unknown' }
    | { readonly kind: 'trusted'; readonly by: string }
  /** Somebody must look at the lines and say yes. */
  readonly needsApproval: boolean
  /** There is a site: of the stick its network, time, certificate and peers are taken, the rest stays. */
  readonly siteExists: boolean
  readonly lines: readonly AnswerLine[]
}

const maxFileBytes = 1024 * 1024
const maxSignatureBytes = 64 * 1024

/** Takes all that is needed from the stick into memory and lets go of it. */
export async function readStick(machine: Machine): Promise<StickReading> {
  const media = (await findMedia(machine)).filter(({ label }) => label.toUpperCase() === stickLabel)
  const [medium] = media
  if (!medium) return { kind: 'none' }
  if (media.length > 1) {
    const devices = media.map(({ device }) => device)
    const sentence = `There are ${media.length} media labelled ${stickLabel} (${devices.join(', ')}). None was read: leave in the one that is meant.`
    return { kind: 'several', devices, sentence }
  }
  try {
    const taken = await withMedium(machine, medium, takeFiles)
    return await judge(machine, medium.device, taken)
  } catch (error) {
    unstage(machine)
    if (error instanceof MachineError) return refused(error.code, error.message)
    throw error
  }
}

/** Removes what was taken. */
export function forgetStick(machine: Machine): void {
  unstage(machine)
}

interface Taken {
  readonly files: readonly StickFile[]
  readonly answers: JsonObject
  readonly signature: Uint8Array | null
}

async function takeFiles(folder: string): Promise<Taken> {
  const bytes = await readMediumFile(folder, stickFile, maxFileBytes)
  if (!bytes) {
    throw new MachineError(
      'STICK_EMPTY',
      `The medium labelled ${stickLabel} holds no ${stickFile} in its top folder.`,
    )
  }
  const answers = answersIn(bytes)
  const files = [{ name: stickFile, bytes }]
  for (const name of namedFiles(answers)) {
    if (!isStickFileName(name) || name === stickFile || name === stickSignatureFile) {
      throw new MachineError(
        'STICK_NAME',
        `${stickFile} names the file ${text(name)}. On a stick files lie beside ${stickFile}, with names of letters, digits, dots and dashes.`,
      )
    }
    const named = await readMediumFile(folder, name, maxFileBytes)
    if (!named)
      throw new MachineError(
        'STICK_INCOMPLETE',
        `${stickFile} names the file ${name}, and it is not on the stick.`,
      )
    files.push({ name, bytes: named })
  }
  return { files, answers, signature: await readMediumFile(folder, stickSignatureFile, maxSignatureBytes) }
}

function answersIn(bytes: Uint8Array): JsonObject {
  try {
    const json = parseAnswers(bytes)
    if (isObject(json)) return json
  } catch (cause) {
    const where = cause instanceof SyntaxError ? ` ${text(cause.message)}` : ' It must be saved as UTF-8.'
    throw new MachineError('STICK_NO_JSON', `${stickFile} on the stick is no JSON.${where}`, { cause })
  }
  throw new MachineError('STICK_NO_JSON', `${stickFile} on the stick must be a JSON object: {…}.`)
}

async function judge(
  machine: Machine,
  device: string,
  { files, answers, signature }: Taken,
): Promise<StickReading> {
  const siteExists = existsSync(machine.paths.configFile)
  const card = siteExists ? siteCard(machine) : null
  if (card && card.serverName !== answers['server_name']) {
    return refused(
      'STICK_OF_OTHER_SITE',
      `This stick is for ${text(answers['server_name'])}, this machine is ${card.serverName}. Nothing was changed.`,
    )
  }
  const signed = signature && checkStickSignature(jsonIn(signature), files, verify, sha256)
  if (signed?.kind === 'bad') {
    return refused(
      'STICK_FORGED',
      `The signature on the stick is wrong: ${text(signed.reason)}. Nothing was changed. Write the stick again, or remove ${stickSignatureFile} to approve it by hand.`,
    )
  }
  stage(machine, files)
  const checked = await checkStaged(machine)
  if (!checked.ok) {
    unstage(machine)
    const { problems } = checked
    // The list is shown with its fields; the command's sentence holds it once more.
    const sentence = problems.length > 0 ? `${stickFile} on the stick cannot be used.` : checked.sentence
    return { kind: 'refused', code: 'STICK_WRONG', sentence, problems }
  }
  const by = signed ? trustedBy(machine, signed.key) : null
  return {
    kind: 'offer',
    offer: {
      device,
      fingerprint: stickFingerprint(files, sha256),
      signature: by !== null ? { kind: 'trusted', by } : { kind: signed ? 'unknown' : 'none' },
      needsApproval: by === null,
      siteExists,
      lines: answerLines(answers),
    },
  }
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return parseAnswers(bytes)
  } catch {
    return null
  }
}

function refused(code: string, sentence: string): Refused {
  return { kind: 'refused', code, sentence, problems: [] }
}

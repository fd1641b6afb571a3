/** The command `letro` of this machine, as the server's user: what it makes belongs to the server. */
import { join } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { FieldProblem } from '#protocol/network-settings.ts'
import { stickFile } from '#protocol/stick.ts'
import { type Machine, MachineError } from '../program.ts'
import { text } from './answer-lines.ts'
import { stagingFolder } from './staging.ts'

export type Answer =
  | { readonly ok: true; readonly json: JsonObject }
  | { readonly ok: false; readonly sentence: string; readonly problems: readonly FieldProblem[] }

export async function letro(machine: Machine, ...args: string[]): Promise<Answer> {
  const { runAsServer, paths } = machine
  const program = join(paths.program, 'provisioning/letro.ts')
  const { code, stdout, stderr } = await runAsServer(process.execPath, [program, ...args, '--json'])
  if (code === 0) return { ok: true, json: jsonIn(stdout) ?? {} }
  const said = jsonIn(stderr)
  // Commands end with 1, 2, 4 and a sentence; anything else is a fault of ours, or of the machine.
  if (!said || typeof said['error'] !== 'string') {
    const what = text(stderr.trim().split('\n').at(-1))
    throw new MachineError(
      'LETRO_FAILED',
      `letro ${args[0]} did not succeed (exit code ${code})${what ? `: ${what}` : '.'}`,
    )
  }
  const problems = (Array.isArray(said['problems']) ? said['problems'] : [])
    .filter(isObject)
    .map(({ field, sentence }) => ({ field: text(field), sentence: text(sentence) }))
  // Whoever stands here knows the files by their names on the stick.
  const sentence = said['error'].replaceAll(`${stagingFolder(machine)}/`, '')
  return { ok: false, sentence: sentence.split('\n').map(text).join('\n'), problems }
}

/** What `letro init` says of the staged answers, without doing anything. */
export function checkStaged(machine: Machine): Promise<Answer> {
  const answers = join(stagingFolder(machine), stickFile)
  return letro(machine, 'init', '--check', '--appliance', '--answers', answers)
}

function jsonIn(output: string): JsonObject | null {
  try {
    const json: unknown = JSON.parse(output.trim().split('\n').at(-1) ?? '')
    return isObject(json) ? json : null
  } catch {
    return null
  }
}

/** What goes onto a provisioning stick: letro.json, the files that it names, and who says so. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Sha256 } from '#protocol/primitives.ts'
import { isStickFileName, type StickFile, signStick, stickFile, stickSignatureFile } from '#protocol/stick.ts'
import { applianceProblems } from './appliance-answers.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { answersJson, type SiteAnswers } from './site-answers.ts'

const maxFileBytes = 1024 * 1024

export const sha256: Sha256 = bytes => new Uint8Array(createHash('sha256').update(bytes).digest())

/** letro.json first. Files of the certificate come along under their own names. */
export function filesFor(answers: SiteAnswers, answersFile: string): StickFile[] {
  const problems = applianceProblems(answers)
  if (problems.length > 0) {
    const list = problems.map(({ field, sentence }) => `  ${field}: ${sentence}`).join('\n')
    throw new CommandFailed(`Nothing was written. In ${answersFile}:\n\n${list}`, exitCodes.unsound, {
      problems,
    })
  }
  const named: StickFile[] = []
  const certificate = Object.fromEntries(
    Object.entries(answers.certificate).map(([member, value]) => {
      if (member === 'from') return [member, value]
      const file = resolve(dirname(resolve(answersFile)), value as string)
      const name = basename(file)
      if (!isStickFileName(name) || name.toLowerCase().startsWith(stickFile)) {
        throw new CommandFailed(
          `${file}: on a stick its name must be of letters, digits, dots and dashes. Rename it.`,
          exitCodes.unsound,
        )
      }
      const bytes = readWhole(file)
      const same = named.find(each => each.name.toLowerCase() === name.toLowerCase())
      if (same && Buffer.compare(same.bytes, bytes) !== 0) {
        throw new CommandFailed(
          `Two files are named ${name}: on a stick they lie in one folder. Rename one.`,
          exitCodes.unsound,
        )
      }
      if (!same) named.push({ name, bytes })
      return [member, name]
    }),
  ) as unknown as SiteAnswers['certificate']
  const json = `${JSON.stringify(answersJson({ ...answers, certificate }), null, 2)}\n`
  return [{ name: stickFile, bytes: new Uint8Array(Buffer.from(json)) }, ...named]
}

/** `letro.json.sig`. */
export function signatureFile(files: readonly StickFile[], keyFile: string): StickFile {
  const key = privateKey(keyFile)
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  const signer = {
    publicKey: new Uint8Array(Buffer.from(x!, 'base64url')),
    sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, key)),
  }
  const json = signStick(files, signer, sha256)
  return {
    name: stickSignatureFile,
    bytes: new Uint8Array(Buffer.from(`${JSON.stringify(json, null, 2)}\n`)),
  }
}

function privateKey(file: string): KeyObject {
  const pem = readWhole(file)
  try {
    const key = createPrivateKey(Buffer.from(pem))
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // The same sentence.
  }
  throw new CommandFailed(
    `${file} is no key for sticks. Make one with: letro stick key FILE`,
    exitCodes.unsound,
  )
}

function readWhole(file: string): Uint8Array {
  try {
    const { size } = statSync(file)
    if (size > maxFileBytes) throw new CommandFailed(`${file} is larger than 1 MiB.`, exitCodes.unsound)
    return new Uint8Array(readFileSync(file))
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new CommandFailed(
      code === 'ENOENT' ? `There is no file ${file}.` : `${file} cannot be read (${code}).`,
      exitCodes.impossible,
    )
  }
}

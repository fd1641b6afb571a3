/** Runs the programs of a build, and tells how far it is. */
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { dirname } from 'node:path'

export class BuildFailed extends Error {
  override readonly name = 'BuildFailed'
}

/** Steps go to the terminal, what programs print to a file. */
export class Log {
  readonly file: string
  readonly #to: WriteStream
  readonly #began = performance.now()

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true })
    this.file = file
    this.#to = createWriteStream(file)
  }

  step(sentence: string): void {
    const seconds = Math.round((performance.now() - this.#began) / 1000)
    console.log(`${String(seconds).padStart(4)} s  ${sentence}`)
    this.write(`\n── ${sentence}\n`)
  }

  write(text: string): void {
    this.#to.write(text)
  }
}

interface RunOptions {
  readonly log: Log
  readonly environment?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** What it prints. @throws BuildFailed with the end of what it said */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { log, environment = {}, cwd } = options
  log.write(`$ ${program} ${args.join(' ').slice(0, 500)}\n`)
  return new Promise((done, failed) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // The same words and the same time zone on every host.
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LC_ALL: 'C.UTF-8',
        TZ: 'UTC',
        ...environment,
      },
      ...(cwd === undefined ? {} : { cwd }),
    })
    let out = ''
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      said = (said + text).slice(-4000)
      log.write(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000)
      log.write(text)
    })
    child.on('error', error => failed(new BuildFailed(`${program} cannot be run: ${error.message}`)))
    child.on('close', code => {
      if (code === 0) done(out)
      else
        failed(
          new BuildFailed(
            `${program} failed (${code}):\n${said.trim().split('\n').slice(-12).join('\n')}\n\nAll of it: ${log.file}`,
          ),
        )
    })
  })
}

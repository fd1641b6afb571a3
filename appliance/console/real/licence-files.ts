/** The licences of everything in the image: /usr/share/doc has those of Debian's packages, the program's tree the others. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Machine, MachineRefused } from '../machine.ts'

const mostCharacters = 400_000

/** @param folders of files, or of folders with a file `copyright` or `LICENSE` in them */
export function licenceActs(folders: readonly string[]): Pick<Machine, 'licences' | 'licence'> {
  async function files(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const folder of folders) await collect(folder, '')
    return found

    async function collect(folder: string, scope: string): Promise<void> {
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        const path = join(folder, entry.name)
        const name = scope + entry.name
        if (entry.isFile()) found.set(name, path)
        else if (entry.name.startsWith('@')) await collect(path, `${name}/`)
        else {
          const text = (await readdir(path).catch(() => [])).find(each =>
            /^(?:copyright|licen[cs]e)/i.test(each),
          )
          if (text !== undefined) found.set(name, join(path, text))
        }
      }
    }
  }
  return {
    licences: async () => [...(await files()).keys()].sort(),
    licence: async ({ name }) => {
      const path = (await files()).get(name)
      if (path === undefined)
        throw new MachineRefused('LICENCE_UNKNOWN', `There is no licence of ${name} in this image.`)
      return (await readFile(path, 'utf8')).slice(0, mostCharacters)
    },
  }
}

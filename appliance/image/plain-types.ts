/**
 * In the image, the program's TypeScript has its types taken out already: Node would do it again at each start of each
 * program, and load a compiler for it, which is most of what a small one takes to start. The files keep their names, lines and
 * columns. This is loaded before everything else (DefaultEnvironment of systemd) and tells Node so; without it they run as well.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

registerHooks({
  load: (url, context, next) =>
    url.startsWith('file:') && url.endsWith('.ts')
      ? { format: 'module', source: readFileSync(fileURLToPath(url), 'utf8'), shortCircuit: true }
      : next(url, context),
})

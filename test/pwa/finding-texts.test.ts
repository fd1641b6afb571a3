/** Every finding of the server has words in the app: what is the case, and what to do. */
import test from 'ava'
import { findings } from '../../pwa/i18n/en/findings.ts'
import { findingCodes } from '../../server/protocol/finding.ts'

test('what the server can find, the app can say', t => {
  const texts = new Set(Object.keys(findings))
  const names = findingCodes.map(code => code.replaceAll(/[.-]/g, '_'))
  t.deepEqual(
    names.filter(name => !texts.has(name) || !texts.has(`${name}_do`)),
    [],
  )
})

/** Pages that only show: health in the server's own words, licences, damaged data. */
import { ask, type Context, call, type Flow, look, tell } from '../flow.ts'
import { ledger } from '../ledger.ts'
import { choice, fact, gap, text, wayOut } from '../page.ts'
import { headline } from './home.ts'
import { codeChoice, showMaintenanceCode } from './maintenance-code.ts'

export function* health(): Flow {
  const lines = yield* look('healthText', null, 'Asking the server')
  yield* ask({ title: 'Health', blocks: [...ledger(lines), gap, wayOut()] })
  return 'done'
}

export function* licences(): Flow {
  const names = yield* look('licences', null, 'Reading the licences')
  const { chosen } = yield* ask({
    title: 'Licences',
    blocks: [
      text('Letro is licensed under Apache-2.0. What it is made of, and under which terms:', 'soft'),
      gap,
      ...names.map((name, i) => choice(`name ${i}`, name)),
      wayOut(),
    ],
  })
  if (chosen === 'back') return 'done'
  const name = names[Number(chosen.slice('name '.length))]!
  const words = yield* look('licence', { name }, 'Reading the licence')
  yield* ask({ title: name, blocks: [text(words), gap, wayOut()] })
  return 'done'
}

/** The data is sound: an operator, or a restore, took the server out of service. */
export function* outOfService({ facts }: Context): Flow {
  const { chosen } = yield* ask({
    title: headline(facts),
    blocks: [
      text(
        'Nothing is damaged. An administrator took the server out of service from elsewhere, or replaces its data by a backup now: then wait for the end of it.',
      ),
      gap,
      wayOut(),
      codeChoice,
      choice('serve', 'Serve people again'),
    ],
  })
  if (chosen === 'code') yield* showMaintenanceCode(facts)
  if (chosen !== 'serve') return 'done'
  yield* call('serveAgain', null, 'Asking the server')
  return 'home'
}

export function* maintenance({ facts }: Context): Flow {
  const { chosen } = yield* ask(({ facts }) => ({
    title: headline(facts),
    blocks: [
      ...facts.server.sentences.map((line, i) => fact(i === 0 ? 'it says' : '', line, 'warn')),
      gap,
      text(
        'A repair keeps all that is certain, and lists what is not. People sign in again afterwards. If there is a backup of today, a restore keeps more: from elsewhere, or from a stick after a factory reset.',
        'soft',
      ),
      gap,
      wayOut(),
      codeChoice,
      choice('repair', 'Repair the store'),
    ],
  }))
  if (chosen === 'code') yield* showMaintenanceCode(facts)
  if (chosen !== 'repair') return 'done'
  const lines = yield* call('repairStore', null, 'Repairing the store')
  yield* tell(
    'The repair is done.',
    lines.map(line => text(line)),
  )
  return 'done'
}

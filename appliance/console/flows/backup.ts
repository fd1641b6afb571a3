/** Backups to a stick, the key that opens them, and the way back. */
import { ask, type Context, call, type Flow, look, type Steps, tell } from '../flow.ts'
import type { Facts } from '../machine.ts'
import { choice, code, fact, gap, text, wayOut } from '../page.ts'
import { showMaintenanceCode } from './maintenance-code.ts'

export function* backup({ facts }: Context): Flow {
  const { chosen } = yield* ask({
    title: 'Backup',
    blocks: [
      text(
        'A backup is encrypted to a key that is not on this machine. Daily backups to another machine are set in the app (Administration, Settings); here is one to a stick, at once.',
        'soft',
      ),
      gap,
      choice('stick', 'Back up to a stick'),
      choice('key', 'Make a key for backups', 'The private half is shown once, and has to be written down.'),
      choice('restore', 'How a backup is restored'),
      wayOut(),
    ],
  })
  if (chosen === 'stick') yield* toStick()
  if (chosen === 'key') yield* newKey()
  if (chosen === 'restore') yield* waysBack(facts)
  return 'done'
}

function* waysBack(facts: Facts): Steps<void> {
  const { chosen } = yield* ask({
    title: 'A backup takes the place of all that is here',
    blocks: [
      text(
        'The private backup key has to be at hand. Nothing is mixed: the site, its keys and people return as they were.',
      ),
      gap,
      fact(
        'from a stick',
        'Start a new machine, or make a factory reset of this one, and choose "Restore a backup from a stick" on its first page.',
      ),
      fact(
        'from afar',
        'An administrator with the command letro replaces the data of this machine, with a code from here.',
      ),
      gap,
      wayOut(),
      choice('code', 'A code for whoever restores from elsewhere'),
    ],
  })
  if (chosen === 'code') yield* showMaintenanceCode(facts)
}

function* toStick(): Steps<void> {
  const { chosen } = yield* ask({
    title: 'Back up to a stick',
    blocks: [
      text('Plug in a stick (FAT or exFAT) with enough room for all data. People keep writing meanwhile.'),
      gap,
      choice('go', 'Begin'),
      wayOut(),
    ],
  })
  if (chosen !== 'go') return
  const file = yield* call('backupToStick', null, 'Backing up')
  yield* tell('The backup is on the stick, whole.', [
    fact('file', file),
    text(
      'The stick can be pulled out. A backup that nobody has tried is a hope: try it with letro backup verify, on another machine.',
    ),
  ])
}

function* newKey(): Steps<void> {
  const { chosen } = yield* ask({
    title: 'A new key for backups',
    blocks: [
      text(
        'From then on backups are made for the new key. Older ones open with the key that they were made for: keep that, too.',
      ),
      gap,
      choice('make', 'Make it'),
      wayOut(),
    ],
  })
  if (chosen !== 'make') return
  const { privateKey, recipient } = yield* call('newBackupKey', null, 'Making a key')
  yield* tell(
    'The private backup key: write it down now',
    [
      text(
        'It is shown once, and kept nowhere. Without it no backup can be opened, by nobody: write it down twice, and keep the sheets in two places under lock.',
      ),
      gap,
      code([privateKey.slice(0, 38), privateKey.slice(38)], 'private key'),
      gap,
      fact('public half', recipient),
    ],
    'I have written it down',
  )
}

/** The stick's backups by name; null: given up. */
export function* chooseBackup(title: string): Steps<string | null> {
  for (;;) {
    const names = yield* look('stickBackups', null, 'Looking for backups')
    const { chosen } = yield* ask(
      {
        title: names.length === 0 ? 'No stick with a backup (letro-....age) is plugged in.' : title,
        blocks: [
          ...names.slice(0, 9).map((name, i) => choice(`file ${i}`, name)),
          choice('again', 'Look again'),
          wayOut(),
        ],
      },
      { stays: true },
    )
    if (chosen === 'back') return null
    if (chosen !== 'again') return names[Number(chosen.slice('file '.length))]!
  }
}

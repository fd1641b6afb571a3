/**
 * First start: what this is, who decides (a stick or the questions here), the recovery key, the disk, the site, and the
 * link of the first administrator. Nothing is written before the recovery key was typed back.
 */

import {
  ask,
  type Context,
  call,
  type Flow,
  type Live,
  look,
  refusal,
  type Steps,
  TurnedBack,
  tryCall,
} from '../flow.ts'
import type { Facts, Result, SetUp } from '../machine.ts'
import { choice, gap, type Page, text, wayOut } from '../page.ts'
import { networkFacts, sealWords } from './home.ts'
import { prepareDisk } from './prepare-disk.ts'
import { readStick } from './provisioning-stick.ts'
import { restoreFromStick } from './restore.ts'
import { askForSite } from './site-questions.ts'

export function* firstStart({ facts }: Context): Flow {
  const { chosen } = yield* ask(live => welcomePage(live, facts), { stays: true })
  if (chosen !== 'stick' && chosen !== 'questions' && chosen !== 'restore')
    return { open: chosen, returns: true }
  // Before anything is asked: a disk that is too small is told here.
  const key = facts.disk.state === 'new' ? yield* look('newRecoveryKey', null, 'Looking at the disk') : null
  if (chosen === 'restore') {
    if (key) yield* prepareDisk(key)
    return (yield* restoreFromStick('Restore a backup')) ? 'home' : 'done'
  }
  if (chosen === 'stick') {
    const found = yield* readStick()
    if (!found) return 'done'
    if (key) yield* prepareDisk(key)
    return yield* setUp(() =>
      tryCall('applyStick', { fingerprint: found.fingerprint }, 'Setting up the site'),
    )
  }
  const answers = yield* askForSite()
  if (!answers) return 'done'
  if (key) yield* prepareDisk(key)
  return yield* setUp(() => tryCall('setUpSite', { answers }, 'Setting up the site'))
}

function welcomePage({ facts }: Live, before: Facts): Page {
  const isNew = before.disk.state === 'new'
  return {
    title: isNew ? 'Welcome. This machine is new.' : 'The disk is ready; the site is not set up yet.',
    isFinal: true,
    blocks: [
      text(
        isNew
          ? 'Letro is a server for messages, files and calls that only their recipients can read. It is set up here, in a few minutes, without any connection to the outside. Nothing is written to the disk before you have confirmed it.'
          : 'The data partition was made, and the recovery key was typed back. What is missing is the site.',
        'soft',
      ),
      gap,
      ...networkFacts(facts),
      { block: 'fact', label: 'machine', text: sealWords(facts) },
      gap,
      choice('questions', 'Set it up here: a handful of questions'),
      choice('stick', 'Set it up from a stick labelled LETROCONF'),
      choice('restore', 'Restore a backup from a stick'),
      choice('network', 'Network'),
      choice('time', 'Time'),
      choice('secure-boot', 'Secure Boot (before the disk is made)'),
      ...(before.isRemovable ? [choice('install', 'Install to a disk of this machine')] : []),
      choice('power', 'Restart or power off'),
    ],
  }
}

function* setUp(trying: () => Steps<Result<SetUp>>): Steps<'home' | { open: string; returns: boolean }> {
  for (;;) {
    const result = yield* trying()
    if (result.ok) return yield* afterSetUp(result.value.awaitsCertificate)
    const { chosen } = yield* ask(
      {
        title: 'The site was not set up.',
        isFinal: true,
        blocks: [...refusal(result), gap, choice('again', 'Try again'), wayOut('Give other answers')],
      },
      { stays: true },
    )
    if (chosen !== 'again') throw new TurnedBack()
  }
}

function* afterSetUp(awaitsCertificate: boolean): Steps<'home' | { open: string; returns: boolean }> {
  if (awaitsCertificate) {
    const { chosen } = yield* ask({
      title: 'The site is set up. Its certificate is missing.',
      isFinal: true,
      blocks: [
        text(
          "Your organisation's authority has to issue it. Write the request to a stick, let it be signed, and bring the certificate back. Nobody is served before.",
        ),
        gap,
        choice('certificate', 'Certificate: write the request, bring the answer'),
        choice('later', 'Later'),
      ],
    })
    return chosen === 'certificate' ? { open: 'certificate', returns: false } : 'home'
  }
  yield* call('awaitServer', null, 'Starting the server')
  yield* look('look', null, 'Looking at the machine')
  return { open: 'enrolment', returns: false }
}

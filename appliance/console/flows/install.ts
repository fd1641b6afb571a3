/** From a stick or a virtual medium to a disk of this machine. */
import { ask, call, type Flow, look } from '../flow.ts'
import type { DiskTarget } from '../machine.ts'
import { choice, fact, gap, text, wayOut } from '../page.ts'
import { confirmTyped } from './typed-confirmation.ts'

export function* install(): Flow {
  const targets = yield* look('installTargets', null, 'Looking at the disks')
  const { chosen } = yield* ask({
    title: targets.length === 0 ? 'There is no disk to install to.' : 'Install to which disk?',
    blocks: [
      ...(targets.length === 0
        ? [text('It needs 8 GB at least, and is not the medium that this started from.'), gap]
        : []),
      ...targets.flatMap((target, i) => {
        const holds = target.holds === null ? 'empty' : `holds ${target.holds}`
        if (target.refused === null) return choice(`disk ${i}`, diskWords(target), holds)
        return text(`${diskWords(target)}: ${target.refused}`, 'faint')
      }),
      wayOut(),
    ],
  })
  if (chosen === 'back') return 'done'
  const target = targets[Number(chosen.slice('disk '.length))]!
  const isSure = yield* confirmTyped({
    title: 'Everything on this disk is overwritten',
    why: [
      fact('disk', diskWords(target)),
      fact('holds', target.holds ?? 'nothing', target.holds === null ? 'ink' : 'bad'),
    ],
    word: target.device,
    goOn: 'Overwrite it and install',
  })
  if (!isSure) return 'done'
  yield* call('install', { device: target.device }, 'Installing')
  const { chosen: next } = yield* ask({
    title: 'Letro is installed.',
    isFinal: true,
    blocks: [
      text('Pull out the stick (or take the virtual medium away), then restart.'),
      gap,
      choice('restart', 'Restart now'),
    ],
  })
  if (next === 'restart') yield* call('restart', null, 'Restarting')
  return 'home'
}

const diskWords = ({ device, model, sizeBytes }: DiskTarget): string =>
  `${device}  ${model}, ${Math.round(sizeBytes / 1e9)} GB`

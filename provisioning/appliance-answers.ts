/**
 * What is wrong with the answers where the whole machine is a Letro appliance: nothing else runs there that could keep
 * files fresh or speak TLS in front of it, and nobody would see a peer that cannot be pinned.
 */
import { readCard } from '#protocol/card.ts'
import { sameFingerprint } from '#protocol/fingerprint-words.ts'
import { verify, wordsOf } from './peer-card.ts'
import type { AnswerProblem, PeerAnswer, SiteAnswers } from './site-answers.ts'

export function applianceProblems({ certificate, peers }: SiteAnswers): AnswerProblem[] {
  const from = {
    files:
      'no other program runs on an appliance that could keep these files fresh: use "own" or "organisation"',
    proxy: 'an appliance speaks TLS itself: use "own" or "organisation"',
  }
  const problems: AnswerProblem[] =
    certificate.from === 'files' || certificate.from === 'proxy'
      ? [{ field: 'certificate.from', sentence: from[certificate.from] }]
      : []
  return [...problems, ...peers.flatMap((peer, i) => peerProblem(peer, `peers[${i}]`))]
}

function peerProblem({ card, fingerprint }: PeerAnswer, field: string): AnswerProblem[] {
  const reading = readCard(card, verify)
  if (reading.kind === 'refused') return [{ field: `${field}.card`, sentence: reading.reason }]
  if (sameFingerprint(wordsOf(reading.card.rootKey), fingerprint)) return []
  return [
    {
      field: `${field}.fingerprint`,
      sentence: `these are not the words of this card of ${reading.card.serverName}: compare again`,
    },
  ]
}

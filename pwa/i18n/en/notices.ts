/** What our server tells an administrator or a sponsor. */
export const notices = {
  alarm: 'Something is wrong with the server. See in the administration what to do now.',
  warning: 'The server needs you in the next days. See in the administration what for.',
  endsSoon:
    'The account of {target} ends on {date}. Whoever is to stay needs a later day from an administrator.',
  ended: 'The account of {target} has ended on {date}: signed out everywhere.',
  peerConflict:
    'Two different cards of {target} bear the same number. Somebody else may hold its key: suspend it, and call its administrator.',
  passkeyCopied: 'A passkey of {target} seems to exist twice. Remove it, and let them make a new one.',
  recovered:
    'A link to recover {target} as administrator was made on the server’s machine. If that was none of you, act at once.',
  other: '{action}: {target}. See in the administration.',
  seen: 'Seen',
}

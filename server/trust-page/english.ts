import type { TrustTexts } from './texts.ts'

export const english: TrustTexts = {
  language: 'English',
  direction: 'ltr',
  title: host => `Let this device recognise ${host}`,
  lead: host =>
    `Letro at ${host} belongs to your organisation, and so does the authority that vouches for it. This device does not know that authority yet. Once it does, it is sure to talk to ${host} and to nobody else.`,
  nothingToDo: host => `There is nothing to install: ${host} has a certificate that devices know already.`,
  openByName: 'You came by a number. Passkeys work by name only: from now on open',
  testing: 'Looking whether this device knows it already …',
  trusted: host => `This device recognises ${host}.`,
  notTrusted:
    'This device does not recognise it yet. Follow the steps for your device below, then test again.',
  noScript: 'This page cannot test by itself here. After the steps, open the address: no warning may appear.',
  again: 'Test again',
  open: 'Open Letro',
  compareTitle: 'Before you install: compare',
  compare:
    'This page travelled without protection; somebody on the way could have changed it. Compare these characters with your enrolment sheet, or with your administrator by telephone. If one is different, install nothing and tell them.',
  inWords: 'The same in words:',
  stepsTitle: 'Steps',
  download: 'Download',
  testAfterwards: 'Then test above.',
  limits: host =>
    `The authority can vouch for ${host} and for nothing else: it cannot read what you do elsewhere.`,
  platforms: {
    ios: {
      name: 'iPhone, iPad',
      file: 'mobileconfig',
      steps: [
        'Open this page in Safari, tap ‹Download› below, then ‹Allow›.',
        'Open ‹Settings›. Near the top stands ‹Profile Downloaded›: tap it, then ‹Install›.',
        'Compare the fingerprint under ‹More Details› with the one above.',
        'Go to ‹Settings› › ‹General› › ‹About› › ‹Certificate Trust Settings›, at the very bottom, and switch the authority on. Without this step it does not count.',
      ],
    },
    android: {
      name: 'Android',
      file: 'crt',
      steps: [
        'Tap ‹Download› below and keep the file.',
        'Open ‹Settings›, search for ‹CA certificate›, and choose ‹Install anyway›. Android warns that your data could be read: this authority can vouch for one server only.',
        'Choose the file in ‹Downloads›.',
        'A screen lock is needed. A phone with a work profile needs it in that profile: ask your administrator.',
      ],
    },
    windows: {
      name: 'Windows (Edge, Chrome)',
      file: 'crt',
      steps: [
        'Click ‹Download› below and open the file.',
        'Under ‹Details›, compare the ‹Thumbprint› only with your administrator; the fingerprint above is the longer SHA-256 one.',
        'Click ‹Install Certificate…›, choose ‹Current User›, then ‹Place all certificates in the following store› › ‹Trusted Root Certification Authorities›.',
        'Confirm, and start the browser again.',
      ],
    },
    mac: {
      name: 'Mac (Safari, Chrome)',
      file: 'mobileconfig',
      steps: [
        'Click ‹Download› below.',
        'Open ‹System Settings› › ‹General› › ‹Device Management›, double-click the profile, compare the fingerprint, and click ‹Install›.',
        'Type your password, and start the browser again.',
      ],
    },
    firefox: {
      name: 'Firefox (any computer)',
      file: 'crt',
      steps: [
        'Click ‹Download› below and save the file.',
        'Open ‹Settings› › ‹Privacy & Security› › ‹View Certificates…› › ‹Authorities› › ‹Import…› and choose it.',
        'Click ‹View›, compare the SHA-256 fingerprint, then tick ‹Trust this CA to identify websites›.',
      ],
    },
  },
}

import type { Translated } from '../catalogue.ts'
import type { enter as en } from '../en/enter.ts'

export const enter: Translated<typeof en> = {
  language: 'Sprache',
  startTitle: 'Bei Letro anmelden',
  startLead: 'Ihr Passkey für {server} meldet Sie an. Ein Passwort gibt es nicht.',
  signIn: 'Mit Passkey anmelden',
  sharedComputer: 'Dies ist ein gemeinsam genutzter Computer',
  sharedComputerHint:
    'Hier bleibt nichts: Wenn der letzte Tab geschlossen wird, ist alles von diesem Computer verschwunden.',
  haveLink: 'Ich habe eine Einladung',
  linkOrCode: 'Link oder Code',
  linkHint: 'So, wie er auf Ihrem Blatt steht oder ein anderes Ihrer Geräte ihn zeigt.',
  linkWrong: 'Das ist kein Link oder Code dieses Servers.',
  lostEverything: 'Ich habe alles verloren',
  welcome: 'Willkommen',
  welcomeName: 'Willkommen, {name}',
  invitationLead:
    'Ihre Organisation hat ein Konto für Sie eingerichtet. Legen Sie einen Passkey an, und Sie sind da.',
  account: 'Konto',
  organisation: 'Server',
  validUntil: 'Gültig bis',
  replaces:
    'Sobald Sie fertig sind, gelten alle früheren Passkeys nicht mehr, und jedes andere Gerät ist abgemeldet. Bis dahin ändert sich nichts.',
  noPasskeys: 'Dieser Browser kann keine Passkeys anlegen. Öffnen Sie den Link in einem aktuellen Browser.',
  deviceName: 'Name dieses Geräts',
  deviceNameHint: 'Damit Sie es unter Ihren Geräten wiedererkennen.',
  createPasskey: 'Passkey anlegen',
  whatIsAPasskey:
    'Ein Passkey ist ein Schlüssel, den Ihr Gerät für Sie verwahrt. Fingerabdruck, Gesicht oder PIN entsperren ihn. Er versiegelt auch, was Letro hier speichert: Wer dieses Gerät an sich nimmt, kann es nicht lesen.',
  passphraseTitle: 'Eine Passphrase für dieses Gerät',
  passphraseLead:
    'Ihr Passkey meldet Sie an, kann hier aber nicht versiegeln, was gespeichert wird. Das tut eine Passphrase. Sie gilt nur für dieses Gerät, und kein Server erfährt sie.',
  passphrase: 'Passphrase',
  passphraseHint: {
    one: 'Mindestens {count} Zeichen. Gut sind vier oder fünf Wörter, die nicht zusammengehören.',
    other: 'Mindestens {count} Zeichen. Gut sind vier oder fünf Wörter, die nicht zusammengehören.',
  },
  passphraseShort: {
    one: 'Sie braucht mindestens {count} Zeichen.',
    other: 'Sie braucht mindestens {count} Zeichen.',
  },
  passphraseAgain: 'Passphrase, noch einmal',
  passphraseDiffers: 'Die beiden sind nicht gleich.',
  slow: 'Das dauert länger als sonst.',
  startInstall:
    'Auf iPhone und iPad legen Sie Letro erst auf den Home-Bildschirm (Teilen › Zum Home-Bildschirm) und melden sich dort an: Die installierte App hat ihren eigenen Speicher, und der Browser löscht seinen nach einer Woche ohne Besuch.',
  installTitle: 'Installieren Sie Letro zuerst',
  installLead:
    'Auf diesem System hat die installierte App ihren eigenen Speicher. Wenn Sie sich hier im Browser registrierten, müssten Sie es noch einmal tun.',
  installCopy: 'Kopieren Sie unten Ihren Einladungscode.',
  installShare: 'Tippen Sie auf „Teilen“, dann „Zum Home-Bildschirm“.',
  installOpen: 'Öffnen Sie Letro vom Home-Bildschirm und setzen Sie den Code dort ein.',
  installSkip: 'Trotzdem im Browser fortfahren',
  lockedTitle: 'Letro ist gesperrt',
  lockedLead:
    'Was auf diesem Gerät gespeichert ist, ist versiegelt. Ihr Passkey öffnet es, auch ohne Verbindung.',
  unlockPasskey: 'Mit Passkey entsperren',
  unlock: 'Entsperren',
  usePassphrase: 'Passphrase verwenden',
  useRecoveryKey: 'Wiederherstellungsschlüssel verwenden',
  recoveryKey: 'Wiederherstellungsschlüssel',
  recoveryKeyHint: 'Die Gruppen aus Buchstaben und Ziffern, die Sie gedruckt oder gespeichert haben.',
  lostTitle: 'Wenn alles verloren ist',
  lostLead:
    'Kein Gerät, kein Passkey, kein Wiederherstellungsschlüssel: Das lässt sich zurückholen, und das nicht.',
  lostReturns: 'Was zurückkommt',
  lostRooms:
    'Ihr Konto, Ihre Räume und die Menschen darin, sobald eine Administratorin Ihnen eine neue Einladung macht.',
  lostWithKey: 'Mit dem Wiederherstellungsschlüssel oder einem anderen Gerät: auch alle Nachrichten.',
  lostGone: 'Was nicht',
  lostMessages:
    'Frühere Nachrichten und Dateien, wenn nichts von Ihnen ihre Schlüssel hat. Niemand sonst kann sie öffnen, auch nicht die Administration.',
  lostQueued: 'Nachrichten, die auf dem verlorenen Gerät warteten und noch nicht abgegangen waren.',
  lostHow: 'Wie es weitergeht',
  lostSteps:
    'Bitten Sie die Administration Ihrer Organisation um eine neue Einladung. Sie beendet alle früheren Passkeys und Geräte; wer mit Ihnen schreibt, erfährt, dass Ihre Identität neu ist.',
  forgetDevice: 'Alles von diesem Gerät entfernen',
  forgetDeviceSure: 'Was hier gespeichert ist, ist endgültig weg, auch Nachrichten, die noch zu senden sind.',
  forgetDeviceYes: 'Ja, entfernen',
  revokedTitle: 'Dieses Gerät wurde abgemeldet',
  revokedLead:
    'Sie haben auf einem anderen Gerät oder die Administration hat die Sitzung beendet. Was hier gespeichert war, wurde gelöscht.',
  expiredTitle: 'Melden Sie sich erneut an',
  expiredLead:
    'Ihre Sitzung ist abgelaufen. Alles auf diesem Gerät bleibt erhalten, auch wartende Nachrichten.',
  startAgain: 'Neu beginnen',
  missingTitle: 'Letro läuft hier nicht',
  missing_secure_context: 'Diese Seite wurde ohne sichere Verbindung geöffnet. Öffnen Sie sie mit https.',
  missing_wasm: 'In diesem Browser ist WebAssembly abgeschaltet. Damit ver- und entschlüsselt Letro.',
  missing_indexeddb:
    'Dieser Browser lässt Letro nichts speichern (IndexedDB), vielleicht weil das Fenster privat ist.',
  missing_webcrypto: 'Dieser Browser hat kein WebCrypto.',
  missing_workers: 'Dieser Browser führt keine Worker aus, in denen Letro Ihre Schlüssel hält.',
  missing_age: 'Dieser Browser ist zu alt für Letro.',
  missingAdvice:
    'Verwenden Sie ein aktuelles Chromium, Chrome, Edge, Firefox oder Safari, oder fragen Sie Ihre Administration.',
  waitingTitle: 'Eine andere Version von Letro ist offen',
  waitingLead: 'Schließen Sie deren Tabs oder Fenster; dieses hier macht von selbst weiter.',
  settingUp: 'Einen Augenblick',
  settingUpLead: 'Ihre Schlüssel entstehen auf diesem Gerät.',
  recoveryTitle: 'Ihr Wiederherstellungsschlüssel',
  recoveryLead:
    'Wenn Sie alle Geräte und Passkeys verlieren, öffnet er Ihre Nachrichten wieder. Bewahren Sie ihn bei wichtigen Papieren auf. Niemand sonst hat ihn.',
  recoverySheet: 'Wiederherstellungsschlüssel für',
  recoveryFile: 'Letro-Wiederherstellungsschlüssel. Sicher aufbewahren: Er öffnet alle Ihre Nachrichten.',
  recoveryTypeBack: 'Geben Sie Gruppe {group} des Schlüssels ein',
  recoveryTypeHint: 'Von Ihrem Papier oder aus Ihrer Datei: So wissen Sie, dass Sie ihn haben.',
  recoveryWrong: 'Diese Gruppe lautet anders.',
  recoveryShow: 'Noch einmal zeigen',
  recoveryKept: 'Ich habe ihn verwahrt',
  recoveryLater: 'In 30 Tagen fragen wir einmal, ob Sie ihn noch haben.',
  recoverySkip: 'Später',
  print: 'Drucken',
  saveFile: 'Als Datei speichern',
  openTitle: 'Dieses Gerät einlassen',
  openLead:
    'Sie sind angemeldet. Um Ihre Nachrichten zu lesen, braucht dieses Gerät Ihre Schlüssel. Sie sind versiegelt; wählen Sie, was sie öffnet.',
  openPasskey: 'Mit Passkey öffnen',
  openDevice: 'Auf einem anderen Gerät bestätigen',
  newIdentity: 'Ich habe nichts davon',
  newIdentitySure:
    'Sie erhalten eine neue Identität. Frühere Nachrichten bleiben auf diesem Gerät verschlossen, und wer mit Ihnen schreibt, erfährt es.',
  newIdentityYes: 'Neue Identität anlegen',
  linkTitle: 'Dieses Gerät hinzufügen',
  linkLead:
    'Ein anderes Ihrer Geräte lädt dieses ein. Es wird hier angemeldet, bekommt einen Passkey und liest Ihre Nachrichten.',
  linkYes: 'Dieses Gerät hinzufügen',
  linkNote: 'Fahren Sie nur fort, wenn Sie selbst diesen Code eben auf Ihrem anderen Gerät geöffnet haben.',
  readOn: 'Ohne Anmeldung weiterlesen',
  occupiedTitle: 'Hier ist das Konto von jemand anderem',
  occupiedLead:
    'Letro hält in einem Browser ein Konto. Diese Einladung ist für eine andere Person und wurde nicht verbraucht: Öffnen Sie sie auf deren Gerät oder in einem anderen Browser oder Browserprofil.',
  occupiedGoOn: 'Mit diesem Konto fortfahren',
  occupiedHow:
    'Wird das Konto hier nicht mehr gebraucht: erst darin abmelden (Einstellungen › Abmelden), dann die Einladung noch einmal öffnen.',
  sealedTitle: 'Hier liegt noch etwas von einer früheren Anmeldung',
  sealedLead:
    'Dieser Browser bewahrt eine versiegelte Kopie Ihres Kontos auf, von einem Gerät, das hier früher angemeldet war. Ihr Passkey öffnet sie nicht.',
  sealedReplace: 'Entfernen und fortfahren',
  sealedLeave: 'Liegen lassen und nichts speichern',
  sealedLeaveHint:
    '„Nichts speichern“: Sie nutzen Letro wie auf einem gemeinsam genutzten Computer, bis der letzte Tab geschlossen wird.',
  overdueTitle: 'Letro fragt zuerst seinen Server',
  overdueLead: {
    one: 'Dieses Gerät hatte seit {count} Tag keine Verbindung zu seinem Server. Nach der Regel Ihrer Organisation öffnet es sich dann erst, wenn der Server geantwortet hat.',
    other:
      'Dieses Gerät hatte seit {count} Tagen keine Verbindung zu seinem Server. Nach der Regel Ihrer Organisation öffnet es sich dann erst, wenn der Server geantwortet hat.',
  },
  overdueAsking: 'Der Server wird gefragt …',
  overdueOffline: 'Der Server ist nicht erreichbar. Sobald er es ist, geht es von selbst weiter.',
  lockAgain: 'Wieder sperren',
  settingUpOffline: 'Der Server ist nicht erreichbar. Sobald er es ist, geht es von selbst weiter.',
  demo: 'DEMO',
  demoText: 'Erfundene Personen, Wegwerfdaten. Wer diese Seite erreicht, kann jede von ihnen sein.',
  demoPeople: 'Wählen Sie, wer Sie sind',
  lastTitle: 'Sie sind drin',
  lastLead: 'Letro ist auf diesem Gerät bereit.',
  lastConfirm:
    'Noch eine Berührung: Ihr Passkey unterschreibt die Schlüssel dieses Geräts. Andere sehen dann, dass Sie es sind, der es benutzt.',
  confirmDevice: 'Mit Passkey bestätigen',
  confirmLater: 'Später',
  open: 'Letro öffnen',
  goodToKnow: 'Gut zu wissen',
  onlyPasskey:
    'Das ist Ihr einziger Passkey, und es gibt ihn nur auf diesem Gerät. Fügen Sie unter Einstellungen › Passkeys einen zweiten hinzu, auf einem Sicherheitsschlüssel oder einem anderen Gerät.',
  ringsNot:
    'Dieses Telefon klingelt nicht, solange Letro geschlossen ist. Ihre Organisation hat das nicht eingeschaltet.',
  mayBeCleared:
    'Ihr Browser darf löschen, was hier gespeichert ist, wenn auf dem Gerät der Platz knapp wird. Letro zu installieren oder Mitteilungen zu erlauben verhindert das meist. Was der Server hat, kommt zurück.',
  scan: 'QR-Code scannen',
  scanStop: 'Kamera ausschalten',
  scanLabel: 'Kamera: Halten Sie den Code davor',
  noServiceWorker:
    'In diesem Fenster öffnet sich Letro nur, solange sein Server erreichbar ist. Ein privates Fenster oder eine Einstellung verhindert, dass es gespeichert wird.',
  linkInstall:
    'Installieren Sie Letro zuerst auf dem Home-Bildschirm und scannen Sie den Code dort: Die installierte App hat ihren eigenen Speicher.',
  remindRecoveryNever:
    'Sie haben Ihren Wiederherstellungsschlüssel noch nicht aufbewahrt. Wer ihn nicht hat und alle Geräte verliert, verliert alle Nachrichten.',
  remindRecoveryMake: 'Schlüssel erhalten',
  remindRecovery: 'Haben Sie Ihren Wiederherstellungsschlüssel noch? Geben Sie eine Gruppe daraus ein.',
  remindRecoveryRight: 'Richtig: Sie haben ihn noch.',
  remindRecoveryLost: 'Ich habe ihn nicht mehr',
  remindPasskey:
    'Sie haben einen Passkey, auf einem Gerät. Ein zweiter bewahrt Sie davor, ausgesperrt zu werden.',
  remindPasskeyAdd: 'Passkey hinzufügen',
  remindLater: 'Jetzt nicht',
  invitationFailed: 'Diese Einladung öffnet sich nicht',
  toStart: 'Zur Anmeldung',
  failedTitle: 'Das hat nicht geklappt',
  againLead:
    'Ihre Organisation lässt Sie wieder herein. Legen Sie einen neuen Passkey an, und Sie sind drin.',
}

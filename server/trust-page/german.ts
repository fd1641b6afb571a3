import type { TrustTexts } from './texts.ts'

export const german: TrustTexts = {
  language: 'Deutsch',
  direction: 'ltr',
  title: host => `Dieses Gerät soll ${host} erkennen`,
  lead: host =>
    `Letro unter ${host} gehört Ihrer Organisation, und ebenso die Zertifizierungsstelle, die dafür bürgt. Dieses Gerät kennt sie noch nicht. Danach kann es sicher sein, mit ${host} zu sprechen und mit niemandem sonst.`,
  nothingToDo: host => `Es ist nichts zu installieren: ${host} hat ein Zertifikat, das Geräte schon kennen.`,
  openByName: 'Sie sind über eine Nummer hier. Passkeys gelten nur für den Namen: Öffnen Sie ab jetzt',
  testing: 'Es wird geprüft, ob dieses Gerät sie schon kennt …',
  trusted: host => `Dieses Gerät erkennt ${host}.`,
  notTrusted:
    'Dieses Gerät erkennt sie noch nicht. Folgen Sie unten den Schritten für Ihr Gerät und prüfen Sie dann erneut.',
  noScript:
    'Diese Seite kann hier nicht selbst prüfen. Öffnen Sie nach den Schritten die Adresse: Es darf keine Warnung erscheinen.',
  again: 'Erneut prüfen',
  open: 'Letro öffnen',
  compareTitle: 'Vor dem Installieren: vergleichen',
  compare:
    'Diese Seite kam ungeschützt; unterwegs könnte sie jemand verändert haben. Vergleichen Sie diese Zeichen mit Ihrem Einladungsblatt oder am Telefon mit Ihrer Administration. Ist eines anders, installieren Sie nichts und sagen Sie es ihr.',
  inWords: 'Dasselbe in Wörtern:',
  stepsTitle: 'Schritte',
  download: 'Herunterladen',
  testAfterwards: 'Dann oben prüfen.',
  limits: host =>
    `Die Zertifizierungsstelle kann für ${host} bürgen und für nichts sonst: Was Sie anderswo tun, kann sie nicht lesen.`,
  platforms: {
    ios: {
      name: 'iPhone, iPad',
      file: 'mobileconfig',
      steps: [
        'Öffnen Sie diese Seite in Safari, tippen Sie unten auf ‹Herunterladen›, dann auf ‹Zulassen›.',
        'Öffnen Sie ‹Einstellungen›. Weit oben steht ‹Profil geladen›: antippen, dann ‹Installieren›.',
        'Vergleichen Sie den Fingerabdruck unter ‹Weitere Details› mit dem oben.',
        'Gehen Sie zu ‹Einstellungen› › ‹Allgemein› › ‹Info› › ‹Zertifikatsvertrauenseinstellungen› ganz unten und schalten Sie die Stelle ein. Ohne diesen Schritt gilt sie nicht.',
      ],
    },
    android: {
      name: 'Android',
      file: 'crt',
      steps: [
        'Tippen Sie unten auf ‹Herunterladen› und behalten Sie die Datei.',
        'Öffnen Sie ‹Einstellungen›, suchen Sie nach ‹CA-Zertifikat› und wählen Sie ‹Trotzdem installieren›. Android warnt, dass Ihre Daten lesbar würden: Diese Stelle kann nur für einen Server bürgen.',
        'Wählen Sie die Datei unter ‹Downloads›.',
        'Eine Bildschirmsperre ist nötig. Ein Telefon mit Arbeitsprofil braucht es in diesem Profil: Fragen Sie Ihre Administration.',
      ],
    },
    windows: {
      name: 'Windows (Edge, Chrome)',
      file: 'crt',
      steps: [
        'Klicken Sie unten auf ‹Herunterladen› und öffnen Sie die Datei.',
        'Den ‹Fingerabdruck› unter ‹Details› vergleichen Sie nur mit Ihrer Administration; oben steht der längere nach SHA-256.',
        'Klicken Sie auf ‹Zertifikat installieren…›, wählen Sie ‹Aktueller Benutzer›, dann ‹Alle Zertifikate in folgendem Speicher speichern› › ‹Vertrauenswürdige Stammzertifizierungsstellen›.',
        'Bestätigen Sie und starten Sie den Browser neu.',
      ],
    },
    mac: {
      name: 'Mac (Safari, Chrome)',
      file: 'mobileconfig',
      steps: [
        'Klicken Sie unten auf ‹Herunterladen›.',
        'Öffnen Sie ‹Systemeinstellungen› › ‹Allgemein› › ‹Geräteverwaltung›, doppelklicken Sie auf das Profil, vergleichen Sie den Fingerabdruck und klicken Sie auf ‹Installieren›.',
        'Geben Sie Ihr Passwort ein und starten Sie den Browser neu.',
      ],
    },
    firefox: {
      name: 'Firefox (jeder Computer)',
      file: 'crt',
      steps: [
        'Klicken Sie unten auf ‹Herunterladen› und speichern Sie die Datei.',
        'Öffnen Sie ‹Einstellungen› › ‹Datenschutz & Sicherheit› › ‹Zertifikate anzeigen…› › ‹Zertifizierungsstellen› › ‹Importieren…› und wählen Sie sie.',
        'Klicken Sie auf ‹Ansehen›, vergleichen Sie den SHA-256-Fingerabdruck, dann setzen Sie das Häkchen bei ‹Dieser CA vertrauen, um Websites zu identifizieren›.',
      ],
    },
  },
}

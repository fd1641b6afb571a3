import type { HelpTexts } from '../help.ts'

export const help: HelpTexts = {
  title: 'Hilfe',
  contents: 'Inhalt',
  noSuchPage: 'Diese Seite gibt es nicht. Dies gibt es:',
  articles: {
    install: {
      title: 'Letro installieren',
      lead: 'Wie eine App: eigenes Fenster, eigenes Symbol, und es öffnet sich auch ohne Verbindung.',
      blocks: [
        { heading: 'iPhone und iPad' },
        {
          steps: [
            'Öffnen Sie die Adresse Ihrer Organisation in Safari.',
            'Tippen Sie auf Teilen, dann auf Zum Home-Bildschirm.',
            'Öffnen Sie Letro vom Home-Bildschirm und benutzen Sie erst dann Ihren Einladungslink: Was Sie in Safari einrichten, bleibt in Safari.',
          ],
        },
        { heading: 'Android' },
        { steps: ['Öffnen Sie die Adresse in Chrome.', 'Wählen Sie im Menü App installieren.'] },
        { heading: 'Computer' },
        {
          steps: [
            'In Chrome oder Edge: das Symbol mit Bildschirm und Pfeil in der Adresszeile.',
            'In Safari auf dem Mac: Ablage, dann Zum Dock hinzufügen.',
            'In Firefox: Lassen Sie die Seite als angehefteten Tab offen.',
          ],
        },
        'Aktualisierungen kommen von selbst. Letro fragt, bevor es neu lädt, und nie während Sie schreiben.',
      ],
    },
    'new-phone': {
      title: 'Ein neues Telefon oder ein neuer Computer',
      lead: 'Solange Sie noch ein angemeldetes Gerät haben, dauert es eine Minute.',
      blocks: [
        {
          steps: [
            'Auf dem Gerät, das Sie haben: Einstellungen, Geräte, Neues Gerät verbinden.',
            'Bestätigen Sie mit Ihrem Passkey. Ein Code erscheint.',
            'Scannen Sie den Code mit der Kamera des neuen Geräts und fahren Sie dort fort.',
          ],
        },
        'Danach vertrauen beide Geräte einander, und Ihre früheren Nachrichten kommen auf dem neuen an.',
        { heading: 'Ohne ein anderes Gerät' },
        'Öffnen Sie die Adresse Ihrer Organisation auf dem neuen Gerät und melden Sie sich mit Ihrem Passkey an, sofern er in Ihrem Passwortmanager oder auf einem Sicherheitsschlüssel liegt. Geben Sie dann den Wiederherstellungsschlüssel ein, wenn Letro danach fragt: Er bringt Ihre früheren Nachrichten.',
        { heading: 'Was mit dem alten geschieht' },
        'Melden Sie sich dort ab, bevor Sie es weggeben. Das löscht alles, was Letro dort aufbewahrt.',
      ],
    },
    'lost-phone': {
      title: 'Ein verlorenes Telefon',
      lead: 'Zuerst abmelden, dann nach den Schlüsseln sehen.',
      blocks: [
        {
          steps: [
            'Auf einem anderen Gerät: Einstellungen, Geräte. Suchen Sie das verlorene und wählen Sie Abmelden. Es bekommt von da an keine neuen Nachrichten und löscht sich, sobald es wieder erreichbar ist.',
            'Einstellungen, Passkeys: Entfernen Sie den Passkey, der darauf war, wenn er nur dort lag.',
            'Sagen Sie es Ihren Administratoren.',
          ],
        },
        'Was Letro auf dem Telefon aufbewahrt hat, ist versiegelt: Wer es findet, braucht Ihren Fingerabdruck, Ihr Gesicht oder Ihre PIN.',
        { heading: 'Es war Ihr einziges Gerät' },
        {
          steps: [
            'Bitten Sie Ihre Administratoren, es abzumelden, und um einen neuen Einladungslink.',
            'Richten Sie Letro auf dem neuen Gerät ein.',
            'Geben Sie Ihren Wiederherstellungsschlüssel ein: Ihre Identität und Ihre Nachrichten kommen zurück.',
          ],
        },
        { heading: 'Auch der Wiederherstellungsschlüssel ist fort' },
        'Dann beginnen Sie mit einer neuen Identität. Räume und Personen kommen zurück. Nachrichten, deren Schlüssel fort sind, nicht: Niemand kann sie öffnen, und genau das schützt sie. Alle, denen Sie schreiben, erfahren, dass Ihre Identität eine andere ist, und entscheiden, ob sie sie annehmen.',
      ],
    },
    administrators: {
      title: 'Was Administratoren sehen können',
      lead: 'Nicht, was Sie schreiben. Aber dass Sie schreiben, und mit wem.',
      blocks: [
        { heading: 'Sie können nicht sehen' },
        {
          list: [
            'was in verschlüsselten Räumen geschrieben wird, auch keine Dateien, Bilder und Sprachnachrichten;',
            'wonach Sie suchen, und Ihre Entwürfe;',
            'Ihre Schlüssel: Die auf dem Server sind versiegelt.',
          ],
        },
        { heading: 'Sie können sehen' },
        {
          list: [
            'wer ein Konto hat, Ihren Namen und Ihr Bild, Ihre Geräte und wann sie zuletzt da waren;',
            'welche Räume es gibt, ihre Namen und Themen, und wer darin ist;',
            'wann jemand etwas sendet und wie groß es ist; zu welcher Nachricht eine Antwort oder Reaktion gehört;',
            'was Sie gelesen haben; und wann Sie schreiben, wenn Sie das nicht ausgeschaltet haben;',
            'alles in Räumen, die nicht verschlüsselt sind. Letro sagt es in jedem von ihnen.',
          ],
        },
        { heading: 'Sie können' },
        {
          list: [
            'Ihr Konto sperren oder schließen und Ihre Geräte abmelden;',
            'einen neuen Einladungslink für Ihr Konto machen. Wer ihn benutzt, kann in Ihrem Namen schreiben, liest aber nichts von früher, und alle, denen Sie schreiben, erfahren, dass die Identität eine andere ist.',
          ],
        },
        'Der Server liefert auch diese App aus. Dass niemand mitliest, gilt, solange er sie so ausliefert, wie sie veröffentlicht wurde.',
        'Was Administratoren tun, steht in einem Protokoll.',
      ],
    },
    verification: {
      title: 'Verifizierung',
      lead: 'Wie Sie sicher sein können, dass jemand ist, wer er zu sein angibt.',
      blocks: [
        'Letro merkt sich die Identität aller, denen Sie begegnen, und sagt es Ihnen, wenn sie sich ändert. Wer vom ersten Augenblick an dazwischen stünde, fiele dabei nicht auf. Die Verifizierung schließt diese Lücke.',
        {
          steps: [
            'Treffen Sie sich oder rufen Sie sich an.',
            'Öffnen Sie die Person (ihren Namen, im Raum) und wählen Sie Verifizieren.',
            'Sie nimmt an. Scannen Sie den Code auf ihrem Bildschirm, oder lassen Sie Ihren scannen.',
            'Keine Kamera? Vergleichen Sie sieben Bilder. Sie müssen gleich sein, in derselben Reihenfolge.',
          ],
        },
        'Das dauert eine Minute, und Sie tun es einmal. Ihre anderen Geräte wissen davon.',
        { heading: 'Wenn sich eine Identität ändert' },
        'Meist hat jemand alle Geräte verloren und neu begonnen. Es könnte auch jemand sein, der sich für die Person ausgibt. Darum wird nichts gesendet, bevor Sie entscheiden. Fragen Sie auf anderem Weg nach und verifizieren Sie erneut; ohne Vergleich nehmen Sie nur an, wenn Sie aus anderem Grund sicher sind.',
        { heading: 'Ihre eigenen Geräte' },
        'Ein neues Gerät von Ihnen muss bestätigt werden: von einem, das Sie haben, mit Ihrem Passkey oder mit dem Wiederherstellungsschlüssel. Bis dahin sendet ihm niemand Schlüssel: So kann kein Server ein eigenes Gerät unterschieben.',
      ],
    },
    marks: {
      title: 'Zeichen an Nachrichten',
      lead: 'Kein Zeichen: Alles ist, wie es sein soll.',
      blocks: [
        { heading: 'Die Identität hat sich geändert' },
        'Der Absender hat eine andere Identität als die, die Sie kennen, und Sie haben darüber noch nicht entschieden.',
        { heading: 'Von einem Gerät gesendet, das nicht bestätigt ist' },
        'Das Konto stimmt, aber das Gerät ist nicht bestätigt. Es kann neu sein; oder jemand ist in das Konto gelangt. Fragen Sie nach.',
        { heading: 'Von einem unbekannten Gerät gesendet' },
        'Das Gerät steht nicht mehr in der Liste des Absenders. Oft wurde es inzwischen abgemeldet.',
        { heading: 'Der Schlüssel kam nicht vom Gerät des Absenders' },
        'Er kam aus einer Sicherung, einer Datei oder von einer anderen Person. Die Nachricht ist unversehrt; dass sie von diesem Absender stammt, ist nicht kryptografisch bewiesen. Nach einer Wiederherstellung tragen alle älteren Nachrichten dieses Zeichen.',
        { heading: 'Nicht lesbar' },
        'Der Schlüssel ist nicht angekommen. Oft kommt er, wenn das Gerät des Absenders oder ein anderes von Ihnen erreichbar ist. Wurde die Nachricht vor Ihrem Beitritt gesendet, war sie nicht für Sie bestimmt.',
      ],
    },
    offline: {
      title: 'Ohne Verbindung',
      lead: 'Letro öffnet sich, liest, sucht und schreibt.',
      blocks: [
        'Was Sie schreiben, wartet versiegelt auf diesem Gerät. Es geht von selbst hinaus, wenn der Server wieder da ist, der Reihe nach und einmal, auch wenn Sie den Browser inzwischen geschlossen haben.',
        {
          list: [
            'Wartet: Es liegt auf diesem Gerät.',
            'Gesendet: Der Server hat es.',
            'Gelesen: Jemand hat es gesehen.',
          ],
        },
        'Browser dürfen löschen, was sie speichern, wenn der Platz knapp wird. Einstellungen, Privatsphäre und Sperre: Bitten Sie den Browser, es zu behalten. Es hilft, Letro zu installieren.',
      ],
    },
    'sign-out': {
      title: 'Abmelden',
      lead: 'Es löscht alles, was Letro auf diesem Gerät aufbewahrt.',
      blocks: [
        'Nachrichten, die noch warten, gehen verloren: Letro sagt, wie viele es sind.',
        'Um Ihre Nachrichten nach einer neuen Anmeldung zu lesen, brauchen Sie ein anderes Gerät, einen Passkey, der Ihre Schlüssel öffnet, oder den Wiederherstellungsschlüssel. Ist dies Ihr einziges Gerät, vergewissern Sie sich, dass Sie ihn haben: Einstellungen, Wiederherstellung, Habe ich ihn noch?',
        'Wenn nur niemand hineinsehen soll: Sperren Sie. Einstellungen, Privatsphäre und Sperre, Jetzt sperren.',
        { heading: 'Auf einem gemeinsam genutzten Computer' },
        'Geben Sie bei der Anmeldung an, dass es ein gemeinsam genutzter Computer ist. Dann wird nichts aufbewahrt: Mit dem letzten Tab ist alles fort.',
      ],
    },
    shortcuts: {
      title: 'Tastenkürzel',
      lead: 'In Letro lässt sich alles mit der Tastatur erreichen.',
      blocks: [
        {
          keys: [
            ['Ctrl K', 'Zu einem Raum, einer Person, einem Wort (Strg K, auf dem Mac: ⌘ K)'],
            ['Alt ↓', 'Nächster ungelesener Raum'],
            ['Alt ↑', 'Voriger ungelesener Raum'],
            ['Alt Shift ↓', 'Nächster Raum der Liste'],
            ['Alt Shift ↑', 'Voriger Raum der Liste'],
            ['↑ ↓', 'In einer Liste bewegen'],
            ['Enter', 'Öffnen; Geschriebenes senden'],
            ['Shift Enter', 'Neue Zeile'],
            ['↑', 'Im leeren Eingabefeld: die letzte eigene Nachricht bearbeiten'],
            ['Escape', 'Schließen, abbrechen, zurück'],
            ['?', 'Diese Tastenkürzel'],
            ['Tab', 'Zur nächsten Stelle'],
          ],
        },
        'Einstellungen, Darstellung und Sprache: ob die Eingabetaste sendet.',
      ],
    },
  },
}

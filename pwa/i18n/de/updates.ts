/** Aktualisierung der Appliance. Codes wie in #protocol/update-status.ts. */
import type { AdministrationAreas } from '../administration.ts'
import type { Catalogue } from '../catalogue.ts'

export const updates: Catalogue<AdministrationAreas>['updates'] = {
  text: 'Eine neue Version kommt als Datei. Die Maschine prüft sie selbst und schreibt sie neben das, was läuft. Bis zum Neustart ändert sich für niemanden etwas; startet die neue Version nicht gut, kehrt die Maschine von selbst zu dieser zurück.',
  runs: 'Version {version} läuft.',
  slot: 'Platz {slot}',
  onTrial:
    'Sie ist eben erst gestartet und wird erprobt. Bis sich zeigt, dass sie arbeitet, wird keine andere Aktualisierung angenommen.',
  release: 'Version',
  runningFrom: 'Läuft von',
  waits: 'Version {version} ist geschrieben und wartet auf einen Neustart.',
  waitsSince: 'Geschrieben {date}',
  wentBack:
    'Version {version} ist nicht gut gestartet. Die Maschine ist {date} von selbst zu {running} zurückgekehrt.',
  wentBackDo:
    'Alles läuft wie zuvor. Melden Sie es uns; spielen Sie dann die nächste Version ein, oder dieselbe noch einmal.',
  restart: 'Jetzt neu starten',
  restartText:
    'Die Maschine startet neu, mit {version}. Für ein bis zwei Minuten ist niemand verbunden; verloren geht nichts.',
  restarting: 'Die Maschine startet neu.',
  choose: 'Datei der neuen Version',
  chooseText: 'Sie kommt von uns oder aus Ihrer eigenen Ablage: letro-VERSION-amd64.update',
  send: 'Hochladen und prüfen',
  uploading: 'Wird hochgeladen: {done} von {total}',
  uploaded: 'Version {version} ist da, unterschrieben und vollständig, und passt zu dieser Maschine.',
  apply: 'Schreiben',
  applyText: '{version} wird neben {running} geschrieben. Was läuft, bleibt unberührt.',
  begun: 'Sie wird geschrieben.',
  window: 'Stunden für einen Neustart',
  windowText:
    'In diesen Stunden, nach ihrer eigenen Uhr, darf die Maschine für eine wartende Version selbst neu starten.',
  windowNone: 'Die Maschine startet nie von selbst neu.',
  windowIs: 'Wartet eine Version, so startet die Maschine von selbst zwischen {window} neu.',
  windowBy: 'Von selbst neu starten lassen',
  windowFrom: 'Von',
  windowTo: 'Bis',
  changeWindow: 'Stunden ändern',
  happened: 'Was geschehen ist',
  nothing: 'Noch nichts.',
  step_check: 'Die Datei wird geprüft',
  step_clear: 'Der andere Platz wird frei gemacht',
  step_root: 'Das System wird geschrieben und zurückgelesen',
  step_verity: 'Sein Siegel wird geschrieben und zurückgelesen',
  step_table: 'Die Partitionen werden benannt',
  step_uki: 'Das Kernabbild wird geschrieben',
  event_applied: '{version} wurde geschrieben',
  event_runs: '{version} läuft und wurde für gut befunden',
  event_went_back: 'Die Maschine ist von {version} zurückgekehrt',
  event_interrupted:
    'Der Strom fiel aus, während {version} geschrieben wurde. Spielen Sie sie noch einmal ein.',
  event_refused: 'Eine Aktualisierung wurde abgelehnt',
  error_UPDATE_NOT_ONE: 'Diese Datei ist keine Aktualisierung von Letro.',
  error_UPDATE_NEWER_FORMAT:
    'Die Datei hat ein neueres Format, als diese Version liest. Spielen Sie zuerst eine Version dazwischen ein.',
  error_UPDATE_MALFORMED:
    'Die Datei ist unterschrieben, aber diese Version kann ihre Beschreibung nicht lesen. Spielen Sie zuerst eine Version dazwischen ein.',
  error_UPDATE_UNKNOWN_KEY:
    'Die Datei ist mit einem Schlüssel unterschrieben, den diese Maschine nicht kennt: von jemand anderem, oder von einer weit entfernten Version.',
  error_UPDATE_FORGED:
    'Die Datei wurde nach dem Unterschreiben verändert. Holen Sie sie noch einmal und vergleichen Sie die Prüfsumme.',
  error_UPDATE_TRUNCATED: 'Die Datei ist abgeschnitten. Kopieren Sie sie noch einmal.',
  error_UPDATE_TRAILING:
    'Die Datei ist länger, als sie sagt. Kopieren Sie sie noch einmal und vergleichen Sie die Prüfsumme.',
  error_UPDATE_DAMAGED:
    'Die Datei ist beschädigt. Kopieren Sie sie noch einmal und vergleichen Sie die Prüfsumme.',
  error_UPDATE_CHANGED:
    'Die Datei wurde verändert, während sie geschrieben wurde. Bringen Sie sie noch einmal.',
  error_UPDATE_UNREADABLE:
    'Die Datei kann nicht gelesen werden. Liegt sie auf einem Stick, lassen Sie ihn stecken, bis alles fertig ist.',
  error_UPDATE_OTHER_PRODUCT: 'Das ist die Aktualisierung eines anderen Produkts.',
  error_UPDATE_OTHER_ARCHITECTURE: 'Diese Version ist für eine andere Art von Maschine.',
  error_UPDATE_RUNNING_ALREADY: 'Diese Version läuft hier schon.',
  error_UPDATE_OLDER: 'Diese Version ist älter als die laufende: Es geht nur vorwärts.',
  error_UPDATE_ROLLBACK: 'Diese Version wurde zurückgezogen. Nehmen Sie die neueste.',
  error_UPDATE_NEEDS_ANOTHER_FIRST:
    'Zuerst muss eine andere Version eingespielt werden; welche, steht in den Hinweisen zur Datei.',
  error_UPDATE_TOO_LARGE:
    'Diese Version passt nicht in die Partitionen. Machen Sie eine Sicherung, richten Sie die Maschine mit deren Abbild neu ein und stellen Sie wieder her.',
  error_UPDATE_NO_SLOT: 'Dieses System läuft nicht von einem Platz auf der Platte einer Appliance.',
  error_UPDATE_ON_TRIAL:
    'Die laufende Version hat noch nicht gezeigt, dass sie arbeitet. Versuchen Sie es in einigen Minuten wieder.',
  error_UPDATE_ESP_FULL: 'Auf der EFI-Partition ist kein Platz. Dort liegt etwas, das nicht zu Letro gehört.',
  error_UPDATE_ESP:
    'Auf der EFI-Partition fehlt das Kernabbild dessen, was läuft. Machen Sie eine Sicherung und richten Sie die Maschine neu ein.',
  error_UPDATE_DISK:
    'Eine Platte behält nicht, was geschrieben wird. Versuchen Sie es noch einmal; misslingt es wieder, machen Sie eine Sicherung und tauschen Sie die Platte.',
  error_UPDATE_SETTINGS:
    'Die Datenplatte ist voll oder nicht beschreibbar. Schaffen Sie Platz und versuchen Sie es wieder.',
  error_UPDATE_NOT_APPLIED: 'Es wartet keine Version auf einen Neustart.',
  error_UPDATE_BUSY:
    'Eine andere Version wird hochgeladen, geprüft oder geschrieben. Warten Sie, bis das fertig ist.',
  error_UPDATE_BAD_REQUEST: 'Die Maschine nimmt die Eingabe nicht an.',
  error_UPDATE_NO_SPACE:
    'Auf der Datenplatte ist kein Platz für die Datei. Schaffen Sie Platz, oder bringen Sie sie auf einem Stick.',
  error_UPDATE_NOT_UPLOADED:
    'Inzwischen wurde eine andere Datei hochgeladen, oder es ist keine da. Sehen Sie noch einmal nach.',
  error_UPDATE_NOT_HERE:
    'Dieser Server ist keine Appliance: Wer ihn eingerichtet hat, aktualisiert ihn mit den Mitteln jener Maschine.',
  error_UPDATER_AWAY:
    'Der Aktualisierer der Maschine antwortet nicht. Bleibt er einige Minuten fort, starten Sie die Maschine neu.',
}

import type { Translated } from '../catalogue.ts'
import type { findings as english } from '../en/findings.ts'

const disk = 'Auf der Platte des Datenordners sind {available_bytes} von {size_bytes} frei.'
const diskDo =
  'Entfernen Sie von dieser Platte, was nicht zu Letro gehört, oder nehmen Sie eine größere. Ist sie voll, kann man lesen, aber nichts Neues wird angenommen.'

export const findings: Translated<typeof english> = {
  disk_filling: disk,
  disk_filling_do: diskDo,
  disk_full_soon: disk,
  disk_full_soon_do: diskDo,
  memory_short: 'Die Maschine hat noch {available_bytes} von {total_bytes} Arbeitsspeicher.',
  memory_short_do:
    'Sehen Sie nach, was ihn braucht. Ein anderes Programm kommt anderswohin; ist es Letro, starten Sie es neu und melden Sie es uns.',
  temperature_high: 'Der Prozessor hat {celsius}.',
  temperature_high_do:
    'Sehen Sie nach Lüftern, Staub und der Kühlung des Raumes. Eine so heiße Maschine wird langsam und schaltet sich dann ab.',
  smart_failing: 'Die Platte {subject} sagt von sich, dass sie versagt.',
  smart_failing_do: 'Machen Sie jetzt eine Sicherung, dann ersetzen Sie die Platte.',
  clock_jumped: 'Die Uhr ist um {by_ms} gesprungen.',
  clock_jumped_do:
    'War der Server so lange aus, ist alles gut: Bestätigen Sie es an der Konsole der Appliance, unter „Time“. Sonst prüfen Sie die Zeit der Maschine und was sie stellt.',
  clock_not_synchronised: 'Nichts stellt die Uhr der Maschine.',
  clock_not_synchronised_do:
    'Geben Sie ihr eine Zeitquelle. Eine falsche Uhr bricht Zertifikate, Anmeldung und die Zeiten der Nachrichten.',
  clock_behind: 'Die Uhr geht {behind_ms} hinter dem, was schon gespeichert ist.',
  clock_behind_do: 'Stellen Sie die Uhr der Maschine. Ist das bei jedem Start so, ist ihre Batterie leer.',
  store_slow: 'Ein Schreiben auf die Platte dauert {median_ms}; schneller geht keine Nachricht.',
  store_slow_do:
    'Sehen Sie nach, was sonst auf diese Platte schreibt und ob sie versagt. Der Datenordner gehört nicht auf ein Netzlaufwerk.',
  store_maintenance:
    'Der Server hat beschädigte Daten gefunden und bedient niemanden, bis sie repariert sind.',
  store_maintenance_do:
    'Halten Sie ihn an, kopieren Sie den Datenordner auf eine andere Platte, dann: letro store check',
  worker_restarting: 'Der Prozess für Passwörter und Bilder starb {deaths} Mal in einer Stunde.',
  worker_restarting_do:
    'Vielleicht ist der Speicher knapp, oder jemand schickt kaputte Bilder. Er startet von selbst neu; aktualisieren Sie Letro, wenn es eine Ausgabe gibt.',
  peer_unreachable: '{subject} nimmt nichts an; {length} warten. Letzter Fehler: {last_error}',
  peer_unreachable_do:
    'Nichts geht verloren, es geht hinaus, wenn jener Server wieder da ist. Rufen Sie seine Verwaltung an.',
  peer_queue_long: '{length} Nachrichten und Schlüssel warten auf {subject}.',
  peer_queue_long_do: 'Er ist langsam oder war weg. Sehen Sie in einer Stunde wieder nach.',
  rooms_frozen: 'Räume, die stillstehen, weil ein nicht festgelegter Server hereinkam: {rooms}',
  rooms_frozen_do:
    'Entscheiden Sie unter Räume und Bereiche für jeden: jenen Server festlegen oder seine Leute hinaussetzen lassen.',
  certificate_expires: '{subject}: endet {expires_ts}.',
  certificate_expires_do: 'Erneuern Sie es. Nach diesem Tag verbindet sich keine App und kein Browser.',
  certificate_expired: '{subject}: endete {expires_ts}. Niemand Neues kann sich verbinden.',
  certificate_expired_do: 'Erneuern Sie es jetzt.',
  certificate_not_yet_valid: '{subject}: gilt erst ab {valid_from_ts}.',
  certificate_not_yet_valid_do:
    'Die Uhr der Maschine ist falsch, oder die der Maschine, die es ausstellte. Prüfen Sie zuerst die Uhr.',
  certificate_unreadable:
    '{subject}: Es oder sein Schlüssel ist nicht lesbar. Was vorher geladen war, wird weiter benutzt.',
  certificate_unreadable_do:
    'Legen Sie die richtigen Dateien zurück und lassen Sie Letro sie lesen. Ein Neustart ohne sie scheitert.',
  certificate_renewal_failed: '{subject}: konnte nicht erneuert werden ({reason}).',
  certificate_renewal_failed_do:
    'Es wird von selbst wieder versucht. Erneuern Sie es von Hand, bevor es endet.',
  certificate_authority_expires: 'Unsere eigene Zertifizierungsstelle endet {expires_ts}.',
  certificate_authority_expires_do:
    'Machen Sie jetzt die nächste und bringen Sie sie auf alle Geräte: Telefone müssen ihr trauen, bevor die alte endet.',
  certificate_authority_expired:
    'Unsere eigene Zertifizierungsstelle endete {expires_ts}: Kein Gerät traut diesem Server.',
  certificate_authority_expired_do:
    'Machen Sie eine neue und bringen Sie sie über die Vertrauensseite auf jedes Gerät.',
  certificate_peer_expires: 'Das Zertifikat von {subject} endet {expires_ts}.',
  certificate_peer_expires_do:
    'Sagen Sie es seiner Verwaltung. Nach diesem Tag geht nichts dorthin, bis es ein anderes hat.',
  certificate_peer_expired: 'Das Zertifikat von {subject} endete {expires_ts}.',
  certificate_peer_expired_do: 'Sagen Sie es seiner Verwaltung. Was für jenen Server ist, wartet hier.',
  backup_none: 'Von diesem Server gab es noch nie eine Sicherung.',
  backup_none_do:
    'Richten Sie unter Sicherung eine ein. Was eine Platte zerstört, bringt nur eine Sicherung zurück.',
  backup_old: 'Seit {hours} Stunden gelang keine Sicherung.',
  backup_old_do: 'Sehen Sie unter Sicherung nach, warum, und machen Sie jetzt eine.',
  backup_failed: 'Die letzte Sicherung schlug fehl ({failure}).',
  backup_failed_do: 'Sehen Sie unter Sicherung nach. Die davor ist weiter gut.',
  backup_same_disk: 'Die Sicherungen liegen auf derselben Platte wie die Daten.',
  backup_same_disk_do: 'Stirbt diese Platte, ist beides weg. Kopieren Sie sie auf eine andere Maschine.',
  backup_keys_newer: 'Der Server hat Schlüssel, die noch in keiner Sicherung sind.',
  backup_keys_newer_do: 'Machen Sie jetzt eine Sicherung.',
  administrators_only_one: 'Es gibt nur ein Verwaltungskonto.',
  administrators_only_one_do:
    'Machen Sie eine zweite Person dazu, bevor die erste krank ist oder ihr Telefon verliert. Ohne jede kann nur, wer an der Maschine sitzt, eines machen.',
  administrators_one_passkey: 'Verwaltungskonten mit einem einzigen Passkey: {administrators}',
  administrators_one_passkey_do:
    'Fügen Sie einen zweiten hinzu, am besten auf einem Sicherheitsschlüssel in der Schublade. Ein verlorenes Telefon sperrt sonst die Verwaltung aus.',
  external_ends_soon: 'Externe Konten, die binnen zwei Wochen enden: {people}; das erste {first_ts}.',
  external_ends_soon_do:
    'Nichts, wenn es so gemeint ist. Wer bleiben soll, bekommt unter Personen einen späteren Tag.',
  appliance_went_back:
    'Version {failed} wurde versucht und hat sich nicht bewährt; die Maschine ist zu {running} zurückgekehrt.',
  appliance_went_back_do:
    'Nichts ist verloren. Spielen Sie die Aktualisierung noch einmal ein; kehrt sie wieder zurück, melden Sie es uns.',
  appliance_development:
    'Das ist ein Entwicklungsabbild: Wer es gebaut hat, kennt seine Schlüssel und kann Aktualisierungen dafür signieren.',
  appliance_development_do:
    'Nur zum Ausprobieren. Installieren Sie ein veröffentlichtes Abbild, bevor jemand etwas schreibt, das zählt.',
  appliance_secure_boot_off:
    'Secure Boot ist nicht eingeschaltet: Die Maschine startet, was immer auf ihre Platte gelegt wird.',
  appliance_secure_boot_off_do:
    'Tragen Sie an der Konsole unter „Secure Boot“ die Schlüssel dieses Abbilds ein (die Firmware muss im Setup-Modus sein); oder geben Sie der virtuellen Maschine eine Firmware mit Secure Boot.',
  appliance_tpm_absent: 'Diese Maschine hat kein TPM: Bei jedem Start muss jemand die Passphrase eintippen.',
  appliance_tpm_absent_do:
    'Nichts, wenn das so gemeint ist. Sonst machen Sie eine Sicherung, schalten das TPM in der Firmware ein, richten die Maschine neu ein und spielen die Sicherung zurück.',
  appliance_tpm_failed:
    'Das TPM hat die Daten beim letzten Start nicht geöffnet; der Wiederherstellungsschlüssel musste es tun.',
  appliance_tpm_failed_do:
    'Wurden Hauptplatine oder Firmware absichtlich geändert: Starten Sie neu, tippen Sie den Wiederherstellungsschlüssel der Platte ein und versiegeln Sie die Daten, wenn die Konsole es anbietet. Wenn nicht, finden Sie heraus, wer an der Maschine war.',
  update_waiting: 'Version {version} ist geschrieben und wartet auf einen Neustart.',
  update_waiting_do:
    'Starten Sie unter „Aktualisierung“ neu, wenn es den Leuten passt, oder nennen Sie Stunden, in denen die Maschine es selbst darf.',
  update_refused: 'Eine Aktualisierung wurde abgelehnt oder brach ab ({reason}).',
  update_refused_do: 'Warum, steht unter „Aktualisierung“. Die laufende Version wurde nicht verändert.',
  syslog_behind: 'Der Syslog-Sammler hat seit {behind_ms} nichts angenommen.',
  syslog_behind_do:
    'Sehen Sie nach dem Sammler und seinem Zertifikat. Keine Zeile geht verloren; sie bleiben hier, bis er sie nimmt.',
  health_source_failed: 'Es ließ sich nicht feststellen, wie es um „{subject}“ steht.',
  health_source_failed_do:
    'Was vorher bekannt war, gilt weiter. Bleibt das nach einem Neustart, melden Sie es uns.',
}

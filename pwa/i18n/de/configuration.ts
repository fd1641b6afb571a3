import type { AdministrationAreas } from '../administration.ts'
import type { Catalogue } from '../catalogue.ts'

export const configuration: Catalogue<AdministrationAreas>['configuration'] = {
  server_name:
    'Der Teil hinter dem Doppelpunkt in jeder Benutzerkennung. Er ändert sich nie mehr: Wählen Sie ihn vor dem ersten richtigen Konto. Ohne ihn ist der Server ein Versuch namens "localhost".',
  server_origin:
    'Die Adresse, die Menschen öffnen. Passkeys sind an ihren Host gebunden; er kann sich nicht mehr ändern, sobald es einen Passkey gibt. Vorgabe: https und der Host von "server.name".',
  server_data: 'Wo alles aufbewahrt wird.',
  listen_client: 'Wo Clients Antwort bekommen. "0.0.0.0:8008" oder "[::]:8008" antwortet von überall.',
  listen_federation:
    'Wo andere Server Antwort bekommen, immer mit TLS: "[::]:8448". Ohne diese Angabe spricht dieser Server mit keinem anderen. Mehr als unsere öffentlichen Schlüssel bekommen nur Server, die Ihre Administratoren festgelegt haben.',
  listen_trust_page:
    'Wo Geräte über einfaches http erfahren, wie sie der eigenen Zertifizierungsstelle ("tls.authority") vertrauen lernen: "[::]:80". Sonst wird dort nichts beantwortet. Ohne diese Angabe gibt es keine solche Seite.',
  federation_address:
    'Wo andere Server diesen hier erreichen; steht in der Karte, die sie festlegen. Vorgabe: der Host von "server.name" mit seinem Port oder dem von "listen.federation".',
  federation_residency:
    'Der Rechtsraum, in dem dieser Server aufbewahrt, was er bekommt; steht in der Karte. Räume können einen verlangen.',
  tls_certificate:
    'Das Zertifikat mit seiner Kette. Ohne dieses und ohne "tls.authority" spricht der Server einfaches http, für einen Proxy auf derselben Maschine.',
  tls_key: 'Der private Schlüssel des Zertifikats.',
  tls_authority:
    'Anstelle von "tls.certificate" und "tls.key": Der Server verwahrt sein Zertifikat im Datenordner. "own": eines von einer eigenen Zertifizierungsstelle, die nur für die Namen dieses Servers bürgen kann; es erneuert sich selbst, und die Geräte der Menschen müssen dieser Stelle vertrauen. "organisation": eines, das mit "letro certificate import" eingebracht wurde.',
  accounts_registration:
    'Wer ein Konto anlegen darf: nur wer einen Einladungslink oder ein Registrierungs-Token hat ("invite"), oder alle ("open").',
  accounts_passwords:
    'Anmeldung und Registrierung mit Passwort, neben Passkeys: für Bots, Tests und den Umzug.',
  accounts_first_administrator:
    'Für wen bei jedem Start ein Link ausgegeben wird, solange niemand diesen Server verwaltet.',
  limits_enabled: 'Ratengrenzen zählen je Person oder, wo niemand angemeldet ist, je Netzadresse.',
  limits_login: 'Begrenzt Anmeldeversuche, Erneuerung von Sitzungen, Passkey- und Einladungsvorgänge.',
  limits_register: 'Begrenzt neue Konten und Fragen nach freien Namen.',
  limits_bad_token: 'Begrenzt Anfragen mit unbekanntem Zugangstoken.',
  limits_send: 'Begrenzt Nachrichten, Zustandsereignisse, Löschungen.',
  limits_ephemeral: 'Begrenzt Schreibanzeigen und Lesebestätigungen.',
  limits_to_device: 'Begrenzt Nachrichten von Gerät zu Gerät.',
  limits_room: 'Begrenzt neue Räume, Raum-Upgrades und Raumadressen.',
  limits_membership: 'Begrenzt Beitreten, Verlassen, Einladen, Entfernen, Sperren und Anklopfen.',
  limits_read: 'Begrenzt Verlauf, Zustand, Beziehungen, Suche und Abgleich.',
  limits_keys: 'Begrenzt Geräteschlüssel, Signaturen und Schlüsselsicherung.',
  limits_account: 'Begrenzt Profil, Kontodaten, Geräte und Benachrichtigungsregeln.',
  limits_directory: 'Begrenzt die Verzeichnisse von Personen und Räumen.',
  limits_upload: 'Begrenzt das Hochladen von Dateien.',
  limits_media: 'Begrenzt das Herunterladen von Dateien und Vorschaubildern.',
  limits_federation: 'Begrenzt die Anfragen eines anderen Servers.',
  limits_peer_membership: 'Begrenzt Einladungen, Anklopfen und Beitritte, die ein anderer Server bringt.',
  limits_admin: 'Begrenzt die Verwaltungsschnittstelle.',
  limits_upload_size: 'Die größte Datei.',
  limits_media_quota: 'Was alle Dateien einer Person zusammen belegen dürfen.',
  admin_token_file:
    'Eine Datei mit einem Token für die Verwaltungsschnittstelle: für Automatisches. Von sich aus aus: Wer die Datei lesen kann, verwaltet den Server.',
  metrics_token_file:
    'Eine Datei mit einem Token für "/_letro/metrics", wo Prometheus liest, wie es diesem Server geht: Zahlen und Namen anderer Server. Von sich aus aus.',
  metrics_token_sha256:
    'Anstelle dieser Datei: der SHA-256 des Tokens. Das Token selbst, zufällig und mindestens 32 Zeichen lang, bleibt bei Prometheus.',
  syslog_address:
    'Ein Sammler, der Zustand und Protokoll der Verwaltung über syslog mit TLS bekommt (RFC 5425, meist Port 6514). Menschen sind dort Pseudonyme. Von sich aus aus. Beim ersten Mal bekommt er das ganze Protokoll.',
  syslog_authority:
    'Die Zertifizierungsstelle, die das Zertifikat des Sammlers ausgestellt hat. Vorgabe: die Stellen, denen die Maschine vertraut.',
  syslog_certificate:
    'Das Zertifikat, mit dem dieser Server dem Sammler zeigt, wer er ist, wenn dieser es verlangt.',
  syslog_key: 'Der private Schlüssel dieses Zertifikats.',
  appliance_report:
    'Wo die Appliance sagt, wie es um ihre Maschine steht: Versionen, Secure Boot, TPM. Das setzt die Appliance selbst; für andere Maschinen ist es nichts.',
  appliance_update_socket:
    'Wo der Updater der Appliance antwortet; ihre Unit setzt es. Anderswo gibt es keinen.',
  devices_lock_after_days:
    'Ein Gerät, das so lange keinen Kontakt zum Server hatte, sperrt sich, bis es wieder welchen hat. 0: nie.',
  presence_enabled:
    'Ob Menschen sehen, wer da ist, auch die von festgelegten Servern. Es verrät, wann jemand arbeitet.',
  push_hosts:
    'Push-Dienste von Browserherstellern, die dieser Server erreichen darf, damit ein Telefon auch läutet, wenn Letro geschlossen ist. Sie erfahren, wann ein Gerät geweckt wird, nie von wem oder warum. Chrome: "fcm.googleapis.com"; Firefox: "updates.push.services.mozilla.com"; Safari: "*.push.apple.com"; Edge: "*.notify.windows.com".',
  backup_folder:
    'Wohin jede Nacht eine Sicherung geschrieben wird: eine eigene Platte oder eine dort eingehängte Netzwerkfreigabe. Die erste entsteht, sobald bekannt ist, für wen verschlüsselt wird.',
  backup_recipients:
    'Wer Sicherungen öffnen kann: die öffentlichen Hälften von Schlüsseln, deren private Hälften fern von diesem Server liegen. Ohne diese Angabe der Schlüssel, den "letro backup key" gemacht hat.',
  backup_passphrase_file:
    'Anstelle von "backup.recipients": eine Datei mit einer Passphrase. Schwächer: Wer in diesen Server einbricht, liest sie und damit jede Sicherung.',
  backup_at: 'Wann die nächtliche Sicherung beginnt.',
  backup_full_every_days:
    'Zwischen vollen Sicherungen wird nur geschrieben, was sich geändert hat; zum Wiederherstellen braucht es alle Dateien seit der letzten vollen.',
  backup_keep: 'Wie viele volle Sicherungen bleiben, jede mit den kleineren, die auf sie folgen.',
  backup_rate: 'Wie viel eine Sicherung in einer Sekunde höchstens liest, damit niemand sie spürt.',
  backup_sftp:
    'Eine andere Maschine, auf die jede Sicherung kopiert wird. Der Pfad ist absolut; ohne Pfad ist es der Ordner, in dem jener Benutzer beginnt.',
  backup_sftp_host_key:
    'Der Schlüssel, an dem jene Maschine erkannt wird. Lassen Sie ihn sich von der Person geben, die sie verwaltet: Was man aus dem Netz liest, kann von irgendwem sein.',
  backup_sftp_key_file:
    'Womit sich dieser Server dort anmeldet. Vorgabe: ein eigener Schlüssel, den die Seite Sicherung zeigt. Geben Sie jenem Benutzer nichts als diesen Ordner.',
  backup_sftp_timeout_minutes: 'Wie lange die Kopie einer Sicherung dauern darf, bevor sie abgebrochen wird.',
  allowed_listen_trust_page: 'Host und Port, "host:port"',
  allowed_limits: 'eine Rate wie "20/s burst 200" (je s, m oder h)',
  allowed_limits_upload_size: 'eine Größe wie "100 MiB"',
  allowed_limits_media_quota: 'eine Größe wie "100 MiB"',
  allowed_metrics_token_file: 'der Pfad einer Datei',
  allowed_metrics_token_sha256: '64 hexadezimale Ziffern',
  allowed_syslog_address: 'Host und Port, "host:port"',
  allowed_syslog_authority: 'der Pfad einer PEM-Datei, oder was darin steht',
  allowed_devices_lock_after_days: 'eine Zahl von Tagen, 0 bis 365',
  allowed_push_hosts:
    'Hostnamen wie "updates.push.services.mozilla.com"; "*." davor erlaubt alle Namen darunter',
  allowed_backup_folder: 'der Pfad eines Ordners, den es gibt',
  allowed_backup_at: 'eine Uhrzeit wie "02:30", nach der Uhr dieser Maschine',
  allowed_backup_full_every_days: 'eine Zahl von Tagen, 1 bis 90',
  allowed_backup_keep: 'eine Zahl, 1 bis 100',
  allowed_backup_rate: 'eine Größe wie "16 MiB"',
  allowed_backup_sftp: 'eine Adresse wie "sftp://letro@backup.example:22/backups"',
  allowed_backup_sftp_host_key:
    'ein Host-Schlüssel, wie ihn "ssh-keyscan" hinter dem Namen ausgibt: "ssh-ed25519 AAAA…"',
  allowed_backup_sftp_key_file: 'der Pfad eines privaten OpenSSH-Schlüssels ohne Passphrase',
  allowed_backup_sftp_timeout_minutes: 'eine Zahl von Minuten, 1 bis 1440',
}

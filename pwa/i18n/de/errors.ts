import type { Translated } from '../catalogue.ts'
import type { errors as en } from '../en/errors.ts'

export const errors: Translated<typeof en> = {
  unknown: 'Etwas ist schiefgegangen ({code}).',
  OFFLINE: 'Der Server ist nicht erreichbar.',
  TIMED_OUT: 'Der Server hat nicht rechtzeitig geantwortet.',
  M_FORBIDDEN: 'Der Server erlaubt das nicht.',
  M_LIMIT_EXCEEDED: 'Zu viele Anfragen. Warten Sie einen Moment und versuchen Sie es erneut.',
  M_UNKNOWN_TOKEN: 'Diese Sitzung ist beendet. Melden Sie sich erneut an.',
  M_NOT_FOUND: 'Der Server kennt das nicht.',
  M_TOO_LARGE: 'Das ist zu groß für den Server.',
  M_UNRECOGNIZED: 'Der Server bietet das nicht an.',
  M_USER_LOCKED: 'Ihr Konto ist gesperrt. Fragen Sie Ihre Administration.',
  M_USER_SUSPENDED: 'Ihr Konto ist ausgesetzt: Sie können lesen, nicht schreiben.',
  M_USER_DEACTIVATED: 'Dieses Konto wurde geschlossen.',
  VAULT_FULL:
    'Auf diesem Gerät ist kein Platz mehr. Nichts ging verloren; schaffen Sie Platz und machen Sie weiter.',
  VAULT_LOCKED: 'Letro ist auf diesem Gerät gesperrt.',
  WRONG_KEY: 'Damit öffnet es sich nicht.',
  INTERNAL:
    'In der App ist etwas fehlgeschlagen. Laden Sie neu; nichts Gesendetes oder Empfangenes ist verloren.',
  BROWSER_OCCUPIED:
    'Dieser Browser hält das Konto von jemand anderem. Nehmen Sie einen anderen Browser oder ein anderes Profil, oder melden Sie dort erst ab.',
  WORKER_FAILED:
    'Ein Teil von Letro kam nicht vom Server, oder nicht so, wie er sein soll. Nichts ist verloren; versuchen Sie es noch einmal.',
  OWNER_GONE:
    'Der Tab, der den Tresor hielt, wurde geschlossen. Sehen Sie nach, ob es geschehen ist, bevor Sie es erneut versuchen.',
  link_unknown:
    'Dieser Link ist nicht bekannt oder wurde schon benutzt. Bitten Sie die Administration um einen neuen.',
  link_expired: 'Dieser Link ist abgelaufen. Bitten Sie die Administration um einen neuen.',
  NO_PASSKEYS: 'Dieser Browser kennt keine Passkeys.',
  PASSKEY_WITHOUT_PRF:
    'Dieser Passkey kann nicht öffnen, was hier gespeichert ist. Nehmen Sie einen anderen Weg.',
  CONFIRMATION_NEEDED: 'Bestätigen Sie, dass Sie es sind.',
  IDENTITY_EXISTS:
    'Sie haben schon eine Identität: Öffnen Sie sie mit einem Passkey, dem Wiederherstellungsschlüssel oder einem anderen Gerät.',
  IDENTITY_MISSING: 'Der Server zeigt keine Identität von Ihnen.',
  IDENTITY_NOT_HERE: 'Dieses Gerät kann für kein anderes bürgen. Öffnen Sie zuerst hier Ihre Identität.',
  IDENTITY_CHANGED:
    'Die Identität hat sich eben noch einmal geändert. Sehen Sie sie erneut an, bevor Sie entscheiden.',
  IDENTITY_UNKNOWN: 'Diese Person hat keine Identität, die sich prüfen ließe.',
  OWN_IDENTITY_UNVERIFIED:
    'Öffnen Sie auf diesem Gerät zuerst Ihre eigene Identität, bevor Sie andere verifizieren.',
  SECRET_MISSING:
    'Diesem Gerät fehlt ein Schlüssel, der dafür nötig ist. Öffnen Sie zuerst hier Ihre Identität.',
  SECRET_MISMATCH:
    'Was der Server gespeichert hat, gehört nicht zu Ihrer Identität. Nichts wurde übernommen.',
  STORAGE_NOT_SET_UP:
    'Es ist nichts hinterlegt, das sich öffnen ließe. Verwenden Sie ein anderes Ihrer Geräte.',
  STORAGE_KEY_NO_PASSKEY:
    'Dieser Passkey öffnet Ihre Identität nicht. Verwenden Sie einen anderen oder den Wiederherstellungsschlüssel.',
  STORAGE_KEY_NOT_HERE:
    'Dieses Gerät kennt den Wiederherstellungsschlüssel nicht. Erstellen Sie einen neuen, oder verwenden Sie das Gerät, das ihn hat.',
  DEVICE_NOT_LISTED:
    'Der Server führt dieses Gerät noch nicht mit seinen Schlüsseln. Versuchen Sie es gleich noch einmal.',
  DEVICE_UNKNOWN: 'Der Server führt dieses Gerät nicht mehr.',
  DEVICE_IS_THIS_ONE: 'Das ist das Gerät, das Sie gerade benutzen. Melden Sie es im Menü ab.',
  NO_OTHER_DEVICE: 'Sie haben kein anderes Gerät, das gefragt werden könnte.',
  ROOM_NEEDED: 'Eine Person verifizieren Sie in einem Chat mit ihr. Öffnen Sie zuerst einen.',
  ENROLMENT_NOT_BEGUN: 'Das hat zu lange gedauert. Beginnen Sie noch einmal.',
  PASSKEY_BAD_SIGNATURE: 'Der Passkey hat das nicht signiert. Nichts wurde geändert.',
  PASSKEY_NOT_LISTED: 'Dieser Passkey ist nicht unter denen, für die Ihre Identität bürgt.',
  VERIFICATION_UNKNOWN: 'Diese Verifizierung ist vorbei.',
  VERIFICATION_TIMED_OUT: 'Die Verifizierung hat länger als zehn Minuten gedauert. Beginnen Sie noch einmal.',
  VERIFICATION_WRONG_PHASE: 'Die Verifizierung ist inzwischen weitergegangen.',
  VERIFICATION_NO_METHOD: 'Das andere Gerät kann auf diese Weise nicht verifizieren. Nehmen Sie die andere.',
  QR_MALFORMED: 'Das ist kein Code zum Verifizieren.',
  QR_UNKNOWN_VERSION: 'Dieser Code ist von einer Art, die Letro nicht kennt.',
  QR_OTHER_FLOW: 'Dieser Code gehört zu einer anderen Verifizierung.',
  KEY_FILE_MALFORMED: 'Das ist keine Datei mit Raumschlüsseln.',
  KEY_FILE_WRONG_PASSPHRASE: 'Die Passphrase ist falsch, oder die Datei wurde verändert.',
  PASSPHRASE_TOO_LONG: 'Die Passphrase ist zu lang: höchstens 1.024 Zeichen.',
  LINK_MALFORMED: 'Das ist kein Link eines anderen Geräts.',
  BAD_ANSWER: 'Die Antwort des Servers war nicht verständlich.',
  NO_SUCH_ROOM: 'Dieses Gerät kennt den Raum nicht.',
  OTHER_ACCOUNT: 'Dieser Passkey gehört zu einem anderen Konto.',
  PASSKEY_DECLINED:
    'Es wurde nichts bestätigt, und nichts hat sich geändert. Versuchen Sie es noch einmal, wenn Sie so weit sind.',
  PASSKEY_EXISTS: 'Dieses Gerät hat schon einen Passkey dieses Kontos. Melden Sie sich damit an.',
  PASSKEY_FAILED: 'Der Browser konnte keinen Passkey verwenden.',
  NO_PASSKEY: 'Dieses Konto hat keinen Passkey.',
  NO_SUCH_WAY_IN: 'Das öffnet nicht, was hier gespeichert ist.',
  RECOVERY_KEY_MALFORMED: 'Das ist kein Wiederherstellungsschlüssel: Ein Zeichen fehlt oder ist falsch.',
  STORAGE_KEY_WRONG: 'Das ist nicht der Wiederherstellungsschlüssel Ihres Kontos.',
  PASSPHRASE_TOO_SHORT: 'Die Passphrase ist zu kurz.',
  LINK_TIMED_OUT:
    'Das andere Gerät hat nicht geantwortet. Lassen Sie seinen Code offen und versuchen Sie es noch einmal.',
  LINK_OTHER_IDENTITY:
    'Der Server hat Ihren beiden Geräten Verschiedenes gezeigt. Es wurde nichts übergeben. Sagen Sie es Ihrer Administration.',
  LINK_OTHER_KEYS:
    'Der Server hat Ihren beiden Geräten Verschiedenes gezeigt. Es wurde nichts übergeben. Sagen Sie es Ihrer Administration.',
  LINK_NOT_SIGNED: 'Das Wort des anderen Geräts ist nicht angekommen. Versuchen Sie es noch einmal.',
  LINK_USED:
    'Mit diesem Code ist schon ein anderes Gerät beigetreten. Melden Sie es ab, wenn Sie es nicht kennen.',
  NO_ROOM_FOR_FILE:
    'Auf diesem Gerät ist kein Platz für eine Datei dieser Größe. Schaffen Sie Platz, oder senden Sie sie von einem anderen Gerät.',
  WAITING_FILE_GONE:
    'Ein Teil dieser Datei ist auf diesem Gerät beschädigt. Verwerfen Sie die Nachricht und hängen Sie die Datei noch einmal an.',
  TRANSFER_PAUSED: 'Angehalten. Es geht weiter, sobald Sie es sagen.',
  BLOCKED: 'Über jemanden in diesem Raum muss zuerst entschieden werden.',
  ROOM_FROZEN:
    'Dieser Raum steht still: ein Server ist hereingekommen, den Ihrer nicht kennt. Die Nachricht geht hinaus, wenn der Raum weitergeht.',
  ROOM_NOT_HERE: 'Dieser Raum ist noch nicht auf diesem Gerät. Sobald er es ist, geht die Nachricht ab.',
  ROOM_NOT_ENCRYPTED:
    'Das wurde für einen verschlüsselten Raum geschrieben, und der Server sagt, er sei es nicht. Es wurde nicht gesendet.',
  ATTACHMENT_WRONG_HASH: 'Diese Datei wurde unterwegs verändert und wird nicht gezeigt.',
  ATTACHMENT_TOO_LARGE: 'Diese Datei ist größer, als ihre Nachricht sagt, und wurde nicht geholt.',
  PICTURE_TOO_LARGE:
    'Dieses Bild hat mehr Bildpunkte, als ein Gerät zeichnen sollte. Es lässt sich speichern.',
  ATTACHMENT_MALFORMED: 'Diese Nachricht sagt nicht, wie ihre Datei zu öffnen ist.',
  BAD_ADDRESS: 'Diese Nachricht nennt keine Datei, die sich holen ließe.',
  STORAGE_FAILED: 'Der Browser hat das nicht gespeichert. Laden Sie neu und versuchen Sie es noch einmal.',
  ROLLED_BACK:
    'Was hier gespeichert ist, ist älter als das, was dieses Gerät gesendet hat. Letro beginnt von selbst neue Sitzungen.',
  kind_damaged: 'Was ankam, ist beschädigt oder nicht, was es zu sein vorgibt. Nichts davon wurde verwendet.',
  kind_otherKeys:
    'Der Server zeigt für ein Gerät andere Schlüssel als zuvor. Nichts wurde übernommen. Sagen Sie es Ihrer Administration.',
  kind_unknownManner: 'Das wurde auf eine Weise erstellt, die diese Version von Letro nicht kennt.',
  kind_passkey: 'Die Antwort des Passkeys passt nicht zur Frage. Nichts wurde geändert.',
  kind_verification: 'Eine Nachricht dieser Verifizierung passte nicht. Beginnen Sie sie neu.',
  kind_notUnderstood:
    'Der Server hat die Anfrage der App nicht angenommen. Aktualisieren Sie die App, oder sagen Sie es Ihrer Administration.',
  kind_limit: 'Eine Grenze, die die Administration Ihres Servers gesetzt hat, ist erreicht.',
  kind_roomVersion: 'Dieser Raum hat eine Version, die dieser Server nicht kennt.',
  kind_roomRules: 'Die Regeln des Raums lassen das so nicht zu.',
  kind_join:
    'Kein Server konnte bestätigen, dass Sie beitreten dürfen. Bitten Sie jemanden im Raum um eine Einladung.',
  kind_http: 'Etwas vor dem Server hat das abgelehnt. Sagen Sie es Ihrer Administration, wenn es so bleibt.',
  M_UNKNOWN: 'Der Server hat einen Fehler gemacht. Seine Administration findet ihn im Protokoll.',
  M_INVITE_BLOCKED: 'Diese Person nimmt keine Einladungen an.',
  M_ROOM_IN_USE: 'Diese Adresse gehört schon einem anderen Raum.',
  M_BAD_ALIAS: 'Diese Adresse führt nicht zu diesem Raum.',
  M_USER_IN_USE: 'Dieser Name ist schon vergeben.',
  M_INVALID_USERNAME: 'Dieser Name geht nicht: nehmen Sie Kleinbuchstaben, Ziffern und . _ = - /.',
  M_WEAK_PASSWORD: 'Dieses Passwort ist zu schwach.',
  M_NOT_YET_UPLOADED: 'Diese Datei ist noch nicht auf dem Server. Versuchen Sie es gleich noch einmal.',
  WITHHELD: 'Der Schlüssel zu dieser Nachricht wurde diesem Gerät nicht gegeben.',
  BACKUP_BROKEN: 'Diese Sicherung ist beschädigt. Nichts wurde daraus übernommen.',
  BACKUP_TRUNCATED: 'Diese Sicherung ist nicht vollständig. Nichts wurde daraus übernommen.',
  BACKUP_NEWER: 'Diese Sicherung stammt von einer neueren Version von Letro. Aktualisieren Sie zuerst.',
  NOT_A_BACKUP: 'Diese Datei ist keine Sicherung von Letro.',
  BACKUP_VERSION_GONE:
    'Die Sicherung Ihrer Schlüssel ist nicht mehr auf dem Server. Eine neue muss angelegt werden.',
  HEADER_BROKEN:
    'Was in diesem Browser gespeichert ist, ist beschädigt und lässt sich nicht öffnen. Melden Sie sich neu an.',
  NOT_INVITED:
    'Diese Person konnte nicht eingeladen werden: Ihr eigener oder deren Server hat es abgelehnt. Es wurde kein Gespräch begonnen, und kein leerer Raum bleibt zurück.',
  NOT_INVITED_YET:
    'Diese Person konnte gerade nicht eingeladen werden: Ihr eigener oder deren Server ist nicht erreichbar. Kein leerer Raum bleibt zurück; versuchen Sie es später noch einmal.',
  RECORD_BROKEN:
    'Ein Teil des auf diesem Gerät Gespeicherten ist beschädigt, und nichts davon wird von selbst ersetzt. Ein Hinweis neben der Raumliste fragt, wie es weitergehen soll.',
  NO_VAULT: 'In diesem Browser ist nichts von diesem Konto gespeichert.',
  NO_SESSION: 'Sie sind auf diesem Gerät nicht angemeldet.',
  VAULT_EXISTS: 'In diesem Browser ist schon etwas von diesem Konto gespeichert.',
  VAULT_NEWER:
    'Was hier gespeichert ist, stammt von einer neueren Version von Letro. Aktualisieren Sie zuerst.',
  LAST_WAY_IN:
    'Nur so lässt sich öffnen, was hier gespeichert ist. Fügen Sie zuerst einen anderen Weg hinzu.',
  SHARED_COMPUTER:
    'Auf einem gemeinsam genutzten Rechner wird nichts behalten, also gibt es nichts zu öffnen.',
  STORAGE_KEY_NO_PASSPHRASE:
    'Ihre Identität wird nicht mit einer Passphrase geöffnet. Nehmen Sie den Wiederherstellungsschlüssel oder einen Passkey.',
  CHANGED: 'Jemand hat es inzwischen geändert. Sehen Sie neu hin und entscheiden Sie dann.',
}

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
  OWNER_GONE:
    'Der Tab, der den Tresor hielt, wurde geschlossen. Sehen Sie nach, ob es geschehen ist, bevor Sie es erneut versuchen.',
  link_unknown:
    'Dieser Link ist nicht bekannt oder wurde schon benutzt. Bitten Sie die Administration um einen neuen.',
  link_expired: 'Dieser Link ist abgelaufen. Bitten Sie die Administration um einen neuen.',
  NO_PASSKEYS: 'Dieser Browser kennt keine Passkeys.',
  PASSKEY_WITHOUT_PRF:
    'Dieser Passkey kann nicht öffnen, was hier gespeichert ist. Nehmen Sie einen anderen Weg.',
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
}

import type { SeldomAreas } from '../seldom.ts'

export const seldom: SeldomAreas = {
  damage: {
    title: 'Ein Teil des auf diesem Gerät Gespeicherten ist beschädigt',
    lead: 'Nichts davon wird von selbst ersetzt. Bis Sie entscheiden, kann dieses Gerät womöglich weder empfangen noch senden.',
    what_room:
      'Beschädigt ist, was sich dieses Gerät zum Raum {room} gemerkt hat: dass er verschlüsselt ist, wer darin ist und wen Sie eingelassen haben.',
    lost_room:
      'Verloren: wen Sie eingelassen haben. Nach Personen in diesem Raum werden Sie vielleicht noch einmal gefragt.',
    stays_room:
      'Es bleiben: alle Nachrichten und was auf das Senden wartet. Das Übrige kommt aus dem Raum selbst zurück; was Sie als Nächstes schreiben, bekommt einen neuen Schlüssel.',
    what_person:
      'Beschädigt ist, was sich dieses Gerät zur Identität von {person} gemerkt hat: welchen Schlüssel es zuerst sah, und ob Sie ihn verglichen haben.',
    lost_person:
      'Verloren: diese Erinnerung. Der Schlüssel, den der Server als Nächstes zeigt, gilt als der erste: Vergleichen Sie ihn noch einmal mit {person}.',
    stays_person: 'Es bleiben: alle Nachrichten. Die Schlüssel von {person} kommen vom Server zurück.',
    what_self: 'Beschädigt ist, was sich dieses Gerät zu Ihrer eigenen Identität gemerkt hat.',
    lost_self:
      'Verloren: der Nachweis, dass es Ihre ist. Er kommt mit Ihrem Passkey oder Wiederherstellungsschlüssel vom Server zurück; danach werden Sie gleich gefragt.',
    stays_self: 'Es bleiben: Räume, Nachrichten, Entwürfe und was auf das Senden wartet.',
    what_key: 'Beschädigt ist einer der Schlüssel, mit denen andere diesem Gerät zu schreiben beginnen.',
    lost_key:
      'Verloren: was mit eben diesem Schlüssel kam. Diese Nachrichten bleiben hier womöglich unlesbar, wenn weder Ihre Schlüsselsicherung noch ein anderes Ihrer Geräte deren Schlüssel hat.',
    stays_key: 'Es bleibt: alles andere. Neue Schlüssel werden gemacht.',
    what_device:
      'Beschädigt sind die Schlüssel dieses Geräts selbst. Ohne sie erkennen andere es nicht, und es kann nicht lesen, was kommt.',
    lost_device:
      'Verloren: dieses Gerät, wie andere es kennen. Sie melden sich gleich an, und es ist ein neues Gerät in Ihrer Liste. Was inzwischen kam, ist lesbar, soweit Ihre Schlüsselsicherung oder ein anderes Ihrer Geräte die Schlüssel hat.',
    stays_device:
      'Es bleiben: die Räume und Nachrichten, die hier sind, Entwürfe, was auf das Senden wartet, und die Schlüssel älterer Nachrichten.',
    goOn: 'Ohne das weitermachen',
    sure: 'Das lässt sich nicht rückgängig machen. Das Beschädigte wird ungelesen beiseitegelegt.',
    yes: 'Aufgeben und weitermachen',
  },
  day: {
    earlierMonth: 'Früherer Monat',
    laterMonth: 'Späterer Monat',
    earlierYear: 'Ein Jahr früher',
    laterYear: 'Ein Jahr später',
    today: 'Heute',
    keys: 'Pfeiltasten gehen um Tage und Wochen, Bild auf und Bild ab um Monate, mit Umschalt um Jahre.',
    chosen: 'Gewählt: {day}',
  },
}

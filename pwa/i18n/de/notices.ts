import type { Translated } from '../catalogue.ts'
import type { notices as english } from '../en/notices.ts'

export const notices: Translated<typeof english> = {
  alarm: 'Mit dem Server stimmt etwas nicht. In der Verwaltung steht, was jetzt zu tun ist.',
  warning: 'Der Server braucht Sie in den nächsten Tagen. In der Verwaltung steht, wofür.',
  endsSoon:
    'Das Konto von {target} endet am {date}. Wer bleiben soll, braucht einen späteren Tag; den setzt die Verwaltung.',
  ended: 'Das Konto von {target} ist am {date} abgelaufen: überall abgemeldet.',
  peerConflict:
    'Zwei verschiedene Karten von {target} tragen dieselbe Nummer. Vielleicht hat jemand anderes den Schlüssel: Setzen Sie diesen Server aus, und rufen Sie dort an.',
  passkeyCopied:
    'Einen Passkey von {target} scheint es zweimal zu geben. Entfernen Sie ihn, und lassen Sie einen neuen anlegen.',
  recovered:
    'Am Rechner des Servers wurde ein Link gemacht, um {target} als Verwaltung wiederherzustellen. War das niemand von Ihnen, handeln Sie sofort.',
  other: '{action}: {target}. Näheres in der Verwaltung.',
  seen: 'Gesehen',
}

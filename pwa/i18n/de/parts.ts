import type { Translated } from '../catalogue.ts'
import type { parts as en } from '../en/parts.ts'

export const parts: Translated<typeof en> = {
  close: 'Schließen',
  cancel: 'Abbrechen',
  save: 'Speichern',
  back: 'Zurück',
  more: 'Mehr',
  loading: 'Wird geladen',
  retry: 'Erneut versuchen',
  details: 'Einzelheiten',
  copy: 'Kopieren',
  copied: 'Kopiert',
  yes: 'Ja',
  no: 'Nein',
  search: 'Suchen',
  done: 'Fertig',
  next: 'Weiter',
  nobody: 'Niemand',
  unnamed: 'Ohne Namen',
  camera_NotAllowedError:
    'Die Kamera darf hier nicht benutzt werden. Erlauben Sie es in den Einstellungen des Browsers, oder nehmen Sie den anderen Weg.',
  camera_none: 'Hier gibt es keine Kamera, die sich benutzen lässt.',
}

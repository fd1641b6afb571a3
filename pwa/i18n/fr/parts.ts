import type { Translated } from '../catalogue.ts'
import type { parts as en } from '../en/parts.ts'

export const parts: Translated<typeof en> = {
  close: 'Fermer',
  cancel: 'Annuler',
  save: 'Enregistrer',
  back: 'Retour',
  more: 'Plus',
  loading: 'Chargement',
  retry: 'Réessayer',
  details: 'Détails',
  copy: 'Copier',
  copied: 'Copié',
  yes: 'Oui',
  no: 'Non',
  search: 'Rechercher',
  done: 'Terminé',
  next: 'Suivant',
  nobody: 'Personne',
  unnamed: 'Sans nom',
  camera_NotAllowedError:
    'La caméra n’est pas autorisée ici. Autorisez-la dans les réglages du navigateur ou choisissez l’autre méthode.',
  camera_none: 'Aucune caméra n’est utilisable ici.',
}

import type { Translated } from '../catalogue.ts'
import type { notices as english } from '../en/notices.ts'

export const notices: Translated<typeof english> = {
  alarm: 'Le serveur a un problème. L’administration dit ce qu’il faut faire maintenant.',
  warning: 'Le serveur aura besoin de vous ces prochains jours. L’administration dit pourquoi.',
  endsSoon:
    'Le compte de {target} se termine le {date}. Pour que cette personne reste, l’administration doit fixer un jour plus tardif.',
  ended: 'Le compte de {target} s’est terminé le {date} : déconnecté partout.',
  peerConflict:
    'Deux cartes différentes de {target} portent le même numéro. Quelqu’un d’autre a peut-être sa clé : suspendez ce serveur et appelez son administration.',
  passkeyCopied:
    'Une clé d’accès de {target} semble exister en double. Supprimez-la et faites-en créer une nouvelle.',
  recovered:
    'Un lien pour rétablir {target} dans l’administration a été créé sur la machine du serveur. Si ce n’était aucun de vous, agissez tout de suite.',
  other: '{action} : {target}. Voir dans l’administration.',
  seen: 'Vu',
}

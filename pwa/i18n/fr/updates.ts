/** Mises à jour de l’appliance. Codes comme dans #protocol/update-status.ts. */
import type { AdministrationAreas } from '../administration.ts'
import type { Catalogue } from '../catalogue.ts'

export const updates: Catalogue<AdministrationAreas>['updates'] = {
  text: 'Une nouvelle version arrive sous forme de fichier. La machine le vérifie elle-même et l’écrit à côté de ce qui fonctionne. Rien ne change pour personne avant le redémarrage ; si la nouvelle version démarre mal, la machine revient d’elle-même à celle-ci.',
  runs: 'La version {version} est en service.',
  slot: 'Emplacement {slot}',
  onTrial:
    'Elle vient de démarrer et est à l’essai. Tant qu’elle n’a pas montré qu’elle fonctionne, aucune autre mise à jour n’est acceptée.',
  release: 'Version',
  runningFrom: 'En service depuis',
  waits: 'La version {version} est écrite et attend un redémarrage.',
  waitsSince: 'Écrite {date}',
  wentBack: 'La version {version} a mal démarré. La machine est revenue d’elle-même à {running}, {date}.',
  wentBackDo:
    'Tout fonctionne comme avant. Signalez-le-nous ; appliquez ensuite la version suivante, ou la même encore une fois.',
  restart: 'Redémarrer maintenant',
  restartText:
    'La machine redémarre avec {version}. Chacun est déconnecté une minute ou deux ; rien n’est perdu.',
  restarting: 'La machine redémarre.',
  choose: 'Fichier de mise à jour',
  chooseText: 'Il vient de nous ou de votre propre dépôt : letro-VERSION-amd64.update',
  send: 'Envoyer et vérifier',
  uploading: 'Envoi : {done} sur {total}',
  uploaded: 'La version {version} est là, signée et entière, et convient à cette machine.',
  apply: 'L’écrire',
  applyText: '{version} est écrite à côté de {running}. Ce qui fonctionne n’est pas touché.',
  begun: 'Elle est en cours d’écriture.',
  window: 'Heures de redémarrage',
  windowText:
    'Pendant ces heures, selon sa propre horloge, la machine peut redémarrer d’elle-même pour une version qui attend.',
  windowNone: 'La machine ne redémarre jamais d’elle-même.',
  windowIs: 'Si une version attend, la machine redémarre d’elle-même entre {window}.',
  windowBy: 'La laisser redémarrer d’elle-même',
  windowFrom: 'De',
  windowTo: 'À',
  changeWindow: 'Changer les heures',
  happened: 'Ce qui s’est passé',
  nothing: 'Rien encore.',
  step_check: 'Vérification du fichier',
  step_clear: 'Libération de l’autre emplacement',
  step_root: 'Écriture et relecture du système',
  step_verity: 'Écriture et relecture de son sceau',
  step_table: 'Désignation des partitions',
  step_uki: 'Écriture de l’image du noyau',
  event_applied: '{version} a été écrite',
  event_runs: '{version} fonctionne et a été jugée bonne',
  event_went_back: 'La machine est revenue de {version}',
  event_interrupted: 'Le courant a manqué pendant l’écriture de {version}. Appliquez-la de nouveau.',
  event_refused: 'Une mise à jour a été refusée',
  error_UPDATE_NOT_ONE: 'Ce fichier n’est pas une mise à jour de Letro.',
  error_UPDATE_NEWER_FORMAT:
    'Le fichier a un format plus récent que celui que lit cette version. Appliquez d’abord une version intermédiaire.',
  error_UPDATE_MALFORMED:
    'Le fichier est signé, mais cette version ne peut lire sa description. Appliquez d’abord une version intermédiaire.',
  error_UPDATE_UNKNOWN_KEY:
    'Le fichier est signé par une clé que cette machine ne connaît pas : d’un autre fabricant, ou d’une version très éloignée.',
  error_UPDATE_FORGED:
    'Le fichier a été modifié après sa signature. Récupérez-le de nouveau et comparez sa somme de contrôle.',
  error_UPDATE_TRUNCATED: 'Le fichier est tronqué. Copiez-le de nouveau.',
  error_UPDATE_TRAILING:
    'Le fichier est plus long qu’il ne le dit. Copiez-le de nouveau et comparez sa somme de contrôle.',
  error_UPDATE_DAMAGED: 'Le fichier est endommagé. Copiez-le de nouveau et comparez sa somme de contrôle.',
  error_UPDATE_CHANGED: 'Le fichier a été modifié pendant l’écriture. Apportez-le de nouveau.',
  error_UPDATE_UNREADABLE:
    'Le fichier ne peut être lu. S’il est sur une clé, laissez-la en place jusqu’à la fin.',
  error_UPDATE_OTHER_PRODUCT: 'C’est la mise à jour d’un autre produit.',
  error_UPDATE_OTHER_ARCHITECTURE: 'Cette version est pour un autre type de machine.',
  error_UPDATE_RUNNING_ALREADY: 'Cette version est déjà en service ici.',
  error_UPDATE_OLDER: 'Cette version est plus ancienne que celle en service : on ne va que vers l’avant.',
  error_UPDATE_ROLLBACK: 'Cette version a été retirée. Prenez la plus récente.',
  error_UPDATE_NEEDS_ANOTHER_FIRST:
    'Une autre version doit d’abord être appliquée ; les notes du fichier disent laquelle.',
  error_UPDATE_TOO_LARGE:
    'Cette version ne tient pas dans les partitions. Faites une sauvegarde, réinstallez la machine avec son image, puis restaurez.',
  error_UPDATE_NO_SLOT: 'Ce système ne fonctionne pas depuis un emplacement du disque d’une appliance.',
  error_UPDATE_ON_TRIAL:
    'La version en service n’a pas encore montré qu’elle fonctionne. Réessayez dans quelques minutes.',
  error_UPDATE_ESP_FULL: 'La partition EFI n’a pas de place. Quelque chose qui n’est pas à Letro s’y trouve.',
  error_UPDATE_ESP:
    'La partition EFI n’a pas l’image du noyau de ce qui fonctionne. Faites une sauvegarde, puis réinstallez la machine.',
  error_UPDATE_DISK:
    'Un disque ne garde pas ce qu’on y écrit. Réessayez une fois ; en cas de nouvel échec, faites une sauvegarde et remplacez le disque.',
  error_UPDATE_SETTINGS:
    'Le disque de données est plein ou ne peut être écrit. Faites de la place, puis réessayez.',
  error_UPDATE_NOT_APPLIED: 'Aucune version n’attend de redémarrage.',
  error_UPDATE_BUSY:
    'Une autre version est en cours d’envoi, de vérification ou d’écriture. Attendez la fin.',
  error_UPDATE_BAD_REQUEST: 'La machine n’accepte pas ce qui a été saisi.',
  error_UPDATE_NO_SPACE:
    'Le disque de données n’a pas de place pour le fichier. Faites de la place, ou apportez-le sur une clé.',
  error_UPDATE_NOT_UPLOADED:
    'Un autre fichier a été envoyé entre-temps, ou aucun n’est là. Regardez de nouveau.',
  error_UPDATE_NOT_HERE:
    'Ce serveur n’est pas une appliance : celui qui l’a installé le met à jour avec les moyens de cette machine.',
  error_UPDATER_AWAY:
    'Le programme de mise à jour de la machine ne répond pas. S’il reste muet quelques minutes, redémarrez la machine.',
}

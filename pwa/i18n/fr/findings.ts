import type { Translated } from '../catalogue.ts'
import type { findings as english } from '../en/findings.ts'

const disk = 'Il reste {available_bytes} sur {size_bytes} au disque du dossier de données.'
const diskDo =
  'Retirez de ce disque ce qui n’est pas à Letro, ou donnez-lui-en un plus grand. Quand il est plein, on peut lire mais rien de nouveau n’est pris.'

export const findings: Translated<typeof english> = {
  disk_filling: disk,
  disk_filling_do: diskDo,
  disk_full_soon: disk,
  disk_full_soon_do: diskDo,
  memory_short: 'Il reste à la machine {available_bytes} de mémoire sur {total_bytes}.',
  memory_short_do:
    'Voyez ce qui la prend. Si c’est un autre programme, déplacez-le ; si c’est Letro, redémarrez-le et signalez-le-nous.',
  temperature_high: 'Le processeur est à {celsius}.',
  temperature_high_do:
    'Voyez les ventilateurs, la poussière, le refroidissement de la salle. Une machine si chaude ralentit, puis s’éteint.',
  smart_failing: 'Le disque {subject} dit de lui-même qu’il lâche.',
  smart_failing_do: 'Faites une sauvegarde maintenant, puis remplacez le disque.',
  clock_jumped: 'L’horloge a sauté de {by_ms}.',
  clock_jumped_do:
    'Si le serveur a été éteint si longtemps, tout va bien : confirmez-le à la console de l’appliance, sous « Time ». Sinon, vérifiez l’heure de la machine et ce qui la règle.',
  clock_not_synchronised: 'Rien ne tient à l’heure l’horloge de la machine.',
  clock_not_synchronised_do:
    'Donnez-lui une source de temps. Une horloge fausse casse les certificats, la connexion et l’heure des messages.',
  clock_behind: 'L’horloge retarde de {behind_ms} sur ce qui est déjà stocké.',
  clock_behind_do: 'Mettez l’horloge à l’heure. Si c’est ainsi à chaque démarrage, sa pile est vide.',
  store_slow: 'Une écriture sur le disque prend {median_ms} ; aucun message ne part plus vite.',
  store_slow_do:
    'Voyez ce qui écrit d’autre sur ce disque, et s’il lâche. Le dossier de données n’a pas sa place sur un lecteur réseau.',
  store_maintenance:
    'Le serveur a trouvé des données endommagées et ne sert personne jusqu’à leur réparation.',
  store_maintenance_do:
    'Arrêtez-le, copiez le dossier de données sur un autre disque, puis : letro store check',
  worker_restarting: 'Le processus des mots de passe et des images est mort {deaths} fois en une heure.',
  worker_restarting_do:
    'La mémoire manque peut-être, ou quelqu’un envoie des images cassées. Il redémarre tout seul ; mettez Letro à jour quand une version paraît.',
  peer_unreachable: '{subject} ne prend rien ; {length} en attente. Dernière erreur : {last_error}',
  peer_unreachable_do:
    'Rien n’est perdu, cela partira quand ce serveur reviendra. Appelez son administrateur.',
  peer_queue_long: '{length} messages et clés attendent {subject}.',
  peer_queue_long_do: 'Il est lent, ou était absent. Regardez de nouveau dans une heure.',
  rooms_frozen: 'Salons à l’arrêt parce qu’un serveur non épinglé y est entré : {rooms}',
  rooms_frozen_do:
    'Décidez pour chacun, sous Salons et espaces : épingler ce serveur, ou faire exclure ses gens.',
  certificate_expires: '{subject} : il prend fin le {expires_ts}.',
  certificate_expires_do:
    'Renouvelez-le. Après ce jour, aucune application ni aucun navigateur ne se connecte.',
  certificate_expired: '{subject} : il a pris fin le {expires_ts}. Personne ne peut plus se connecter.',
  certificate_expired_do: 'Renouvelez-le maintenant.',
  certificate_not_yet_valid: '{subject} : il n’est valable qu’à partir du {valid_from_ts}.',
  certificate_not_yet_valid_do:
    'L’horloge de la machine est fausse, ou celle de la machine qui l’a émis. Vérifiez d’abord l’horloge.',
  certificate_unreadable: '{subject} : lui ou sa clé est illisible. Ce qui était chargé sert encore.',
  certificate_unreadable_do:
    'Remettez les bons fichiers et laissez Letro les lire. Un redémarrage sans eux échoue.',
  certificate_renewal_failed: '{subject} : il n’a pas pu être renouvelé ({reason}).',
  certificate_renewal_failed_do: 'C’est retenté tout seul. Renouvelez-le à la main avant qu’il prenne fin.',
  certificate_authority_expires: 'Notre propre autorité de certification prend fin le {expires_ts}.',
  certificate_authority_expires_do:
    'Faites la suivante maintenant et portez-la sur tous les appareils : les téléphones doivent s’y fier avant la fin de l’ancienne.',
  certificate_authority_expired:
    'Notre propre autorité de certification a pris fin le {expires_ts} : aucun appareil ne se fie à ce serveur.',
  certificate_authority_expired_do:
    'Faites-en une nouvelle et portez-la sur chaque appareil par la page de confiance.',
  certificate_peer_expires: 'Le certificat de {subject} prend fin le {expires_ts}.',
  certificate_peer_expires_do:
    'Dites-le à son administrateur. Après ce jour, rien n’y va tant qu’il n’en a pas un autre.',
  certificate_peer_expired: 'Le certificat de {subject} a pris fin le {expires_ts}.',
  certificate_peer_expired_do: 'Dites-le à son administrateur. Ce qui est pour ce serveur attend ici.',
  backup_none: 'Il n’y a jamais eu de sauvegarde de ce serveur.',
  backup_none_do:
    'Mettez-en une en place, sous Sauvegarde. Ce qu’un disque détruit, seule une sauvegarde le rend.',
  backup_old: 'Aucune sauvegarde n’a réussi depuis {hours} heures.',
  backup_old_do: 'Voyez pourquoi sous Sauvegarde, et faites-en une maintenant.',
  backup_failed: 'La dernière sauvegarde a échoué ({failure}).',
  backup_failed_do: 'Voyez sous Sauvegarde. Celle d’avant est toujours bonne.',
  backup_same_disk: 'Les sauvegardes sont sur le même disque que les données.',
  backup_same_disk_do: 'Quand ce disque mourra, tout sera perdu. Copiez-les sur une autre machine.',
  backup_keys_newer: 'Le serveur a des clés qui ne sont encore dans aucune sauvegarde.',
  backup_keys_newer_do: 'Faites une sauvegarde maintenant.',
  administrators_only_one: 'Il n’y a qu’un administrateur.',
  administrators_only_one_do:
    'Nommez-en un second, avant que le premier soit malade ou perde son téléphone. Sans aucun, seul qui est assis devant la machine peut en nommer.',
  administrators_one_passkey: 'Administrateurs avec une seule clé d’accès : {administrators}',
  administrators_one_passkey_do:
    'Ajoutez-en une deuxième, de préférence sur une clé de sécurité dans un tiroir. Sinon, un téléphone perdu exclut un administrateur.',
  external_ends_soon:
    'Comptes externes qui prennent fin dans les deux semaines : {people} ; le premier le {first_ts}.',
  external_ends_soon_do: 'Rien, si c’est voulu. Qui doit rester reçoit un jour plus tardif, sous Personnes.',
  appliance_went_back:
    'La version {failed} a été essayée et n’a pas fait ses preuves ; la machine est revenue à {running}.',
  appliance_went_back_do:
    'Rien n’est perdu. Appliquez encore une fois la mise à jour ; si elle revient à nouveau, signalez-le-nous.',
  appliance_development:
    'C’est une image de développement : qui l’a construite connaît ses clés et peut signer des mises à jour pour elle.',
  appliance_development_do:
    'Pour essayer seulement. Installez une image publiée avant que quiconque n’écrive ce qui compte.',
  appliance_secure_boot_off:
    'Secure Boot n’est pas actif : la machine démarre tout ce qu’on met sur son disque.',
  appliance_secure_boot_off_do:
    'Inscrivez les clés de cette image à la console, sous « Secure Boot » (le micrologiciel doit être en mode setup) ; ou donnez à la machine virtuelle un micrologiciel avec Secure Boot.',
  appliance_tpm_absent:
    'Cette machine n’a pas de TPM : quelqu’un doit taper la phrase secrète à chaque démarrage.',
  appliance_tpm_absent_do:
    'Rien, si c’est voulu. Sinon, faites une sauvegarde, activez le TPM dans le micrologiciel, réinstallez la machine et restaurez.',
  appliance_tpm_failed:
    'Le TPM n’a pas ouvert les données au dernier démarrage ; il a fallu la clé de récupération.',
  appliance_tpm_failed_do:
    'Si la carte mère ou le micrologiciel ont été changés exprès : redémarrez, tapez la clé de récupération et scellez les données quand la console le propose. Sinon, cherchez qui a touché à la machine.',
  update_waiting: 'La version {version} est écrite et attend un redémarrage.',
  update_waiting_do:
    'Redémarrez sous « Mises à jour » quand cela convient, ou indiquez des heures où la machine peut le faire seule.',
  update_refused: 'Une mise à jour a été refusée ou interrompue ({reason}).',
  update_refused_do: 'La raison est sous « Mises à jour ». La version en service n’a pas changé.',
  syslog_behind: 'Le collecteur syslog n’a rien pris depuis {behind_ms}.',
  syslog_behind_do:
    'Voyez le collecteur et son certificat. Aucune ligne n’est perdue ; elles restent ici jusqu’à ce qu’il les prenne.',
  health_source_failed: 'On n’a pas pu savoir comment va « {subject} ».',
  health_source_failed_do:
    'Ce qu’on savait avant vaut toujours. Si cela reste après un redémarrage, signalez-le-nous.',
}

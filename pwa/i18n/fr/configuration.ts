import type { AdministrationAreas } from '../administration.ts'
import type { Catalogue } from '../catalogue.ts'

export const configuration: Catalogue<AdministrationAreas>['configuration'] = {
  server_name:
    'La partie après les deux-points dans chaque identifiant. Elle ne change plus jamais : choisissez-la avant le premier vrai compte. Sans elle, le serveur est un essai nommé "localhost".',
  server_origin:
    'L’adresse que les gens ouvrent. Les clés d’accès sont liées à son hôte : il ne peut plus changer dès qu’une clé d’accès existe. Par défaut : https et l’hôte de "server.name".',
  server_data: 'Où tout est gardé.',
  listen_client: 'Où les clients reçoivent une réponse. "0.0.0.0:8008" ou "[::]:8008" répond de partout.',
  listen_federation:
    'Où les autres serveurs reçoivent une réponse, toujours par TLS : "[::]:8448". Sans cela, ce serveur ne parle à aucun autre. Seuls les serveurs épinglés par l’administration reçoivent plus que nos clés publiques.',
  listen_trust_page:
    'Où les appareils apprennent, par simple http, comment faire confiance à l’autorité privée ("tls.authority") : "[::]:80". Rien d’autre n’y reçoit de réponse. Sans cela, cette page n’existe pas.',
  federation_address:
    'Où les autres serveurs joignent celui-ci ; figure dans la carte qu’ils épinglent. Par défaut : l’hôte de "server.name", avec son port ou celui de "listen.federation".',
  federation_residency:
    'La juridiction dans laquelle ce serveur garde ce qu’on lui envoie ; figure dans la carte. Un salon peut en exiger une.',
  tls_certificate:
    'Le certificat et sa chaîne. Sans lui et sans "tls.authority", le serveur parle en simple http, pour un proxy sur la même machine.',
  tls_key: 'La clé privée du certificat.',
  tls_authority:
    'À la place de "tls.certificate" et "tls.key" : le serveur garde son certificat dans le dossier de données. "own" : celui d’une autorité privée qui ne peut répondre que des noms de ce serveur ; il se renouvelle de lui-même, et les appareils doivent faire confiance à cette autorité. "organisation" : celui qui a été apporté par "letro certificate import".',
  accounts_registration:
    'Qui peut créer un compte : les personnes qui ont une invitation ou un jeton d’inscription ("invite"), ou tout le monde ("open").',
  accounts_passwords:
    'Connexion et inscription par mot de passe, à côté des clés d’accès : pour les robots, les tests et la migration.',
  accounts_first_administrator:
    'Pour qui un lien est affiché à chaque démarrage tant que personne n’administre ce serveur.',
  limits_enabled:
    'Les limites de débit comptent par personne ou, là où personne n’est connecté, par adresse réseau.',
  limits_login:
    'Limite les tentatives de connexion, le renouvellement des sessions, les étapes de clé d’accès et d’invitation.',
  limits_register: 'Limite les nouveaux comptes et les questions sur les noms libres.',
  limits_bad_token: 'Limite les requêtes dont le jeton d’accès est inconnu.',
  limits_send: 'Limite les messages, les événements d’état et les suppressions.',
  limits_ephemeral: 'Limite les indications de saisie et les accusés de lecture.',
  limits_to_device: 'Limite les messages d’appareil à appareil.',
  limits_room: 'Limite les nouveaux salons, leurs mises à niveau et leurs adresses.',
  limits_membership: 'Limite les actions rejoindre, quitter, inviter, exclure, bannir et demander à entrer.',
  limits_read: 'Limite l’historique, l’état, les relations, la recherche et la synchronisation.',
  limits_keys: 'Limite les clés d’appareil, les signatures et la sauvegarde des clés.',
  limits_account: 'Limite le profil, les données du compte, les appareils et les règles de notification.',
  limits_directory: 'Limite les annuaires des personnes et des salons.',
  limits_upload: 'Limite les envois de fichiers.',
  limits_media: 'Limite les téléchargements de fichiers et de vignettes.',
  limits_federation: 'Limite les requêtes d’un autre serveur.',
  limits_peer_membership: 'Limite les invitations, les demandes et les entrées qu’un autre serveur apporte.',
  limits_admin: 'Limite l’interface d’administration.',
  limits_upload_size: 'Le plus gros fichier.',
  limits_media_quota: 'Ce que tous les fichiers d’une personne peuvent occuper ensemble.',
  admin_token_file:
    'Un fichier avec un jeton pour l’interface d’administration : pour l’automatisation. Désactivé par défaut : quiconque lit ce fichier administre le serveur.',
  metrics_token_file:
    'Un fichier avec un jeton pour "/_letro/metrics", où Prometheus lit comment va ce serveur : des nombres, et les noms d’autres serveurs. Désactivé par défaut.',
  metrics_token_sha256:
    'À la place de ce fichier : le SHA-256 du jeton. Le jeton lui-même, tiré au hasard et long d’au moins 32 caractères, reste chez Prometheus.',
  syslog_address:
    'Un collecteur qui reçoit l’état de santé et le journal d’audit par syslog sur TLS (RFC 5425, d’ordinaire le port 6514). Les personnes y sont des pseudonymes. Désactivé par défaut. La première fois, il reçoit tout le journal d’audit.',
  syslog_authority:
    'L’autorité qui a émis le certificat du collecteur. Par défaut : celles auxquelles la machine fait confiance.',
  syslog_certificate:
    'Le certificat par lequel ce serveur montre au collecteur qui il est, là où celui-ci le demande.',
  syslog_key: 'La clé privée de ce certificat.',
  appliance_report:
    'Où l’appliance dit comment va sa machine : versions, Secure Boot, TPM. L’appliance le règle elle-même ; sans objet pour d’autres machines.',
  appliance_update_socket:
    'Où répond le programme de mise à jour de l’appliance ; son unité le règle. Ailleurs, il n’y en a pas.',
  devices_lock_after_days:
    'Un appareil resté si longtemps sans contact avec le serveur se verrouille jusqu’à ce qu’il en retrouve. 0 : jamais.',
  presence_enabled:
    'Si les gens voient qui est là, y compris ceux des serveurs épinglés. Cela révèle quand quelqu’un travaille.',
  push_hosts:
    'Les services push des éditeurs de navigateurs que ce serveur peut joindre, pour qu’un téléphone sonne quand Letro est fermé. Ils apprennent quand un appareil est appelé, jamais par qui ni pourquoi. Chrome : "fcm.googleapis.com" ; Firefox : "updates.push.services.mozilla.com" ; Safari : "*.push.apple.com" ; Edge : "*.notify.windows.com".',
  backup_folder:
    'Où une sauvegarde est écrite chaque nuit : un disque à part, ou un partage réseau qui y est monté. La première est faite dès que l’on sait pour qui chiffrer.',
  backup_recipients:
    'Qui peut ouvrir les sauvegardes : les moitiés publiques de clés dont les moitiés privées sont gardées loin de ce serveur. Sans cela, la clé faite par "letro backup key".',
  backup_passphrase_file:
    'À la place de "backup.recipients" : un fichier avec une phrase secrète. Plus faible : quiconque s’introduit dans ce serveur la lit, et avec elle toutes les sauvegardes.',
  backup_at: 'Quand commence la sauvegarde de la nuit.',
  backup_full_every_days:
    'Entre deux sauvegardes complètes, seul ce qui a changé est écrit ; pour restaurer, il faut tous les fichiers depuis la dernière complète.',
  backup_keep: 'Combien de sauvegardes complètes restent, chacune avec les plus petites qui la suivent.',
  backup_rate: 'Ce qu’une sauvegarde lit au plus en une seconde, pour que personne ne la sente.',
  backup_sftp:
    'Une autre machine sur laquelle chaque sauvegarde est copiée. Le chemin est absolu ; sans chemin, c’est le dossier où cet utilisateur commence.',
  backup_sftp_host_key:
    'La clé par laquelle cette machine est reconnue. Demandez-la à qui l’administre : celle qu’on lit sur le réseau peut être celle de n’importe qui.',
  backup_sftp_key_file:
    'Ce avec quoi ce serveur s’y connecte. Par défaut : une clé à lui, que montre la page Sauvegarde. Ne donnez à cet utilisateur que ce dossier.',
  backup_sftp_timeout_minutes: 'Combien de temps la copie d’une sauvegarde peut durer avant d’être arrêtée.',
  allowed_listen_trust_page: 'un hôte et un port, "host:port"',
  allowed_limits: 'un débit comme "20/s burst 200" (par s, m ou h)',
  allowed_limits_upload_size: 'une taille comme "100 MiB"',
  allowed_limits_media_quota: 'une taille comme "100 MiB"',
  allowed_metrics_token_file: 'le chemin d’un fichier',
  allowed_metrics_token_sha256: '64 chiffres hexadécimaux',
  allowed_syslog_address: 'un hôte et un port, "host:port"',
  allowed_syslog_authority: 'le chemin d’un fichier PEM, ou ce qu’il contient',
  allowed_devices_lock_after_days: 'un nombre de jours, de 0 à 365',
  allowed_push_hosts:
    'des noms d’hôte comme "updates.push.services.mozilla.com" ; "*." devant permet tous les noms en dessous',
  allowed_backup_folder: 'le chemin d’un dossier qui existe',
  allowed_backup_at: 'une heure comme "02:30", à l’horloge de cette machine',
  allowed_backup_full_every_days: 'un nombre de jours, de 1 à 90',
  allowed_backup_keep: 'un nombre, de 1 à 100',
  allowed_backup_rate: 'une taille comme "16 MiB"',
  allowed_backup_sftp: 'une adresse comme "sftp://letro@backup.example:22/backups"',
  allowed_backup_sftp_host_key:
    'une clé d’hôte telle que "ssh-keyscan" l’affiche après le nom : "ssh-ed25519 AAAA…"',
  allowed_backup_sftp_key_file: 'le chemin d’une clé privée OpenSSH sans phrase secrète',
  allowed_backup_sftp_timeout_minutes: 'un nombre de minutes, de 1 à 1440',
}

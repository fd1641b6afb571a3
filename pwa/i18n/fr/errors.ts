import type { Translated } from '../catalogue.ts'
import type { errors as en } from '../en/errors.ts'

export const errors: Translated<typeof en> = {
  unknown: 'Une erreur est survenue ({code}).',
  OFFLINE: 'Le serveur est hors de portée.',
  TIMED_OUT: 'Le serveur n’a pas répondu à temps.',
  M_FORBIDDEN: 'Le serveur ne le permet pas.',
  M_LIMIT_EXCEEDED: 'Trop de demandes. Attendez un instant, puis réessayez.',
  M_UNKNOWN_TOKEN: 'Cette session est terminée. Connectez-vous de nouveau.',
  M_NOT_FOUND: 'Le serveur ne connaît pas cela.',
  M_TOO_LARGE: 'C’est trop grand pour le serveur.',
  M_UNRECOGNIZED: 'Le serveur ne propose pas cela.',
  M_USER_LOCKED: 'Votre compte est verrouillé. Adressez-vous à votre administrateur.',
  M_USER_SUSPENDED: 'Votre compte est suspendu : vous pouvez lire, pas écrire.',
  M_USER_DEACTIVATED: 'Ce compte a été fermé.',
  VAULT_FULL: 'Il n’y a plus de place sur cet appareil. Rien n’est perdu ; faites de la place et continuez.',
  VAULT_LOCKED: 'Letro est verrouillé sur cet appareil.',
  WRONG_KEY: 'Cela ne l’ouvre pas.',
  INTERNAL:
    'Quelque chose a échoué dans l’application. Rechargez ; rien de ce qui a été envoyé ou reçu n’est perdu.',
  BROWSER_OCCUPIED:
    'Ce navigateur garde le compte d’une autre personne. Prenez un autre navigateur ou profil, ou déconnectez-vous-en d’abord.',
  WORKER_FAILED:
    'Une partie de Letro n’est pas arrivée du serveur, ou pas telle qu’elle devrait être. Rien n’est perdu ; réessayez.',
  OWNER_GONE: 'L’onglet qui tenait le coffre a été fermé. Vérifiez si c’est fait avant de réessayer.',
  link_unknown: 'Ce lien est inconnu, ou a déjà servi. Demandez-en un nouveau à votre administrateur.',
  link_expired: 'Ce lien a expiré. Demandez-en un nouveau à votre administrateur.',
  NO_PASSKEYS: 'Ce navigateur n’a pas de clés d’accès.',
  PASSKEY_WITHOUT_PRF:
    'Cette clé d’accès ne peut pas ouvrir ce qui est conservé ici. Utilisez un autre moyen.',
  CONFIRMATION_NEEDED: 'Confirmez que c’est bien vous.',
  IDENTITY_EXISTS:
    'Vous avez déjà une identité : ouvrez-la avec une clé d’accès, la clé de récupération ou un autre appareil.',
  IDENTITY_MISSING: 'Le serveur ne montre aucune identité à vous.',
  IDENTITY_NOT_HERE:
    'Cet appareil ne peut pas se porter garant d’un autre. Ouvrez d’abord votre identité ici.',
  IDENTITY_CHANGED: 'L’identité vient de changer à nouveau. Regardez-la encore avant de décider.',
  IDENTITY_UNKNOWN: 'Cette personne n’a pas d’identité que l’on puisse vérifier.',
  OWN_IDENTITY_UNVERIFIED:
    'Ouvrez votre propre identité sur cet appareil avant de vérifier celle des autres.',
  SECRET_MISSING: 'Il manque à cet appareil une clé nécessaire. Ouvrez d’abord votre identité ici.',
  SECRET_MISMATCH: 'Ce que le serveur a conservé n’appartient pas à votre identité. Rien n’a été repris.',
  STORAGE_NOT_SET_UP: 'Rien n’a été déposé que l’on puisse ouvrir. Utilisez un autre de vos appareils.',
  STORAGE_KEY_NO_PASSKEY:
    'Cette clé d’accès n’ouvre pas votre identité. Utilisez-en une autre ou la clé de récupération.',
  STORAGE_KEY_NOT_HERE:
    'Cet appareil ne connaît pas la clé de récupération. Créez-en une nouvelle ou utilisez l’appareil qui la connaît.',
  DEVICE_NOT_LISTED:
    'Le serveur n’a pas encore les clés de cet appareil dans sa liste. Réessayez dans un instant.',
  DEVICE_UNKNOWN: 'Le serveur n’a plus cet appareil dans sa liste.',
  DEVICE_IS_THIS_ONE: 'C’est l’appareil que vous utilisez. Déconnectez-le depuis le menu.',
  NO_OTHER_DEVICE: 'Vous n’avez pas d’autre appareil à qui demander.',
  ROOM_NEEDED: 'On vérifie une personne dans une conversation avec elle. Ouvrez-en d’abord une.',
  ENROLMENT_NOT_BEGUN: 'Cela a pris trop de temps. Recommencez.',
  PASSKEY_BAD_SIGNATURE: 'La clé d’accès n’a pas signé ceci. Rien n’a changé.',
  PASSKEY_NOT_LISTED: 'Cette clé d’accès n’est pas parmi celles dont votre identité se porte garante.',
  VERIFICATION_UNKNOWN: 'Cette vérification est terminée.',
  VERIFICATION_TIMED_OUT: 'La vérification a duré plus de dix minutes. Recommencez.',
  VERIFICATION_WRONG_PHASE: 'La vérification a déjà avancé.',
  VERIFICATION_NO_METHOD: 'L’autre appareil ne peut pas vérifier de cette façon. Prenez l’autre.',
  QR_MALFORMED: 'Ce n’est pas un code de vérification.',
  QR_UNKNOWN_VERSION: 'Ce code est d’un type que Letro ne connaît pas.',
  QR_OTHER_FLOW: 'Ce code appartient à une autre vérification.',
  KEY_FILE_MALFORMED: 'Ce n’est pas un fichier de clés de salons.',
  KEY_FILE_WRONG_PASSPHRASE: 'La phrase secrète est fausse, ou le fichier a été modifié.',
  PASSPHRASE_TOO_LONG: 'La phrase secrète est trop longue : 1 024 caractères au plus.',
  LINK_MALFORMED: 'Ce n’est pas le lien d’un autre appareil.',
  BAD_ANSWER: 'La réponse du serveur n’a pas été comprise.',
  NO_SUCH_ROOM: 'Cet appareil ne connaît pas ce salon.',
  OTHER_ACCOUNT: 'Cette clé d’accès appartient à un autre compte.',
  PASSKEY_DECLINED: 'Rien n’a été confirmé et rien n’a changé. Réessayez quand vous serez prêt.',
  PASSKEY_EXISTS: 'Cet appareil a déjà une clé d’accès de ce compte. Connectez-vous avec elle.',
  PASSKEY_FAILED: 'Le navigateur n’a pas pu utiliser de clé d’accès.',
  NO_PASSKEY: 'Ce compte n’a pas de clé d’accès.',
  NO_SUCH_WAY_IN: 'Cela n’ouvre pas ce qui est stocké ici.',
  RECOVERY_KEY_MALFORMED: 'Ce n’est pas une clé de récupération : un caractère manque ou est faux.',
  STORAGE_KEY_WRONG: 'Cette clé de récupération n’est pas celle de votre compte.',
  PASSPHRASE_TOO_SHORT: 'La phrase secrète est trop courte.',
  LINK_TIMED_OUT: 'L’autre appareil n’a pas répondu. Laissez son code ouvert et réessayez.',
  LINK_OTHER_IDENTITY:
    'Le serveur a montré des choses différentes à vos deux appareils. Rien n’a été transmis. Dites-le à votre administration.',
  LINK_OTHER_KEYS:
    'Le serveur a montré des choses différentes à vos deux appareils. Rien n’a été transmis. Dites-le à votre administration.',
  LINK_NOT_SIGNED: 'La parole de l’autre appareil n’est pas arrivée. Réessayez.',
  LINK_USED: 'Un autre appareil s’est joint avec ce code. Déconnectez-le si vous ne le connaissez pas.',
  NO_ROOM_FOR_FILE:
    'Cet appareil n’a pas la place pour un fichier de cette taille. Faites de la place, ou envoyez-le depuis un autre appareil.',
  WAITING_FILE_GONE:
    'Une partie de ce fichier est abîmée sur cet appareil. Jetez le message et joignez de nouveau le fichier.',
  TRANSFER_PAUSED: 'En pause. L’envoi reprend quand vous le dites.',
  BLOCKED: 'Il faut d’abord décider au sujet de quelqu’un dans ce salon.',
  ROOM_FROZEN:
    'Ce salon est à l’arrêt : un serveur que le vôtre ne connaît pas y est entré. Le message partira quand le salon reprendra.',
  ROOM_NOT_HERE: 'Ce salon n’est pas encore sur cet appareil. Le message partira quand il y sera.',
  ROOM_NOT_ENCRYPTED:
    'Ceci a été écrit pour un salon chiffré, et le serveur dit qu’il ne l’est pas. Rien n’est parti.',
  ATTACHMENT_WRONG_HASH: 'Ce fichier a été modifié en chemin et n’est pas affiché.',
  ATTACHMENT_TOO_LARGE: 'Ce fichier est plus grand que ne le dit son message et n’a pas été récupéré.',
  PICTURE_TOO_LARGE:
    'Cette image a plus de points qu’un appareil ne devrait en dessiner. Elle peut être enregistrée.',
  ATTACHMENT_MALFORMED: 'Ce message ne dit pas comment ouvrir son fichier.',
  BAD_ADDRESS: 'Ce message ne désigne aucun fichier que l’on puisse récupérer.',
  STORAGE_FAILED: 'Le navigateur n’a pas enregistré ceci. Rechargez, puis réessayez.',
  ROLLED_BACK:
    'Ce qui est conservé ici est plus ancien que ce que cet appareil a envoyé. Letro commence de lui-même de nouvelles sessions.',
  kind_damaged: 'Ce qui est arrivé est abîmé, ou n’est pas ce qu’il prétend être. Rien n’en a été utilisé.',
  kind_otherKeys:
    'Le serveur montre pour un appareil d’autres clés qu’auparavant. Rien n’a été pris. Prévenez votre administration.',
  kind_unknownManner: 'Cela a été fait d’une manière que cette version de Letro ne connaît pas.',
  kind_passkey: 'La réponse de la clé d’accès ne correspond pas à la demande. Rien n’a changé.',
  kind_verification: 'Un message de cette vérification n’était pas à sa place. Recommencez la vérification.',
  kind_notUnderstood:
    'Le serveur n’a pas accepté la demande de l’application. Mettez-la à jour, ou prévenez votre administration.',
  kind_limit: 'Une limite fixée par l’administration de votre serveur est atteinte.',
  kind_roomVersion: 'Ce salon est d’une version que ce serveur ne connaît pas.',
  kind_roomRules: 'Les règles du salon ne le permettent pas en l’état.',
  kind_join:
    'Aucun serveur n’a pu confirmer que vous pouvez entrer. Demandez une invitation à quelqu’un qui s’y trouve.',
  kind_http: 'Quelque chose devant le serveur l’a refusé. Prévenez votre administration si cela dure.',
  M_UNKNOWN: 'Le serveur a fait une erreur. Son administration la trouvera dans le journal.',
  M_INVITE_BLOCKED: 'Cette personne n’accepte pas d’invitations.',
  M_ROOM_IN_USE: 'Cette adresse appartient déjà à un autre salon.',
  M_BAD_ALIAS: 'Cette adresse ne mène pas à ce salon.',
  M_USER_IN_USE: 'Ce nom est déjà pris.',
  M_INVALID_USERNAME: 'Ce nom ne convient pas : prenez des minuscules, des chiffres et . _ = - /.',
  M_WEAK_PASSWORD: 'Ce mot de passe est trop faible.',
  M_NOT_YET_UPLOADED: 'Ce fichier n’est pas encore sur le serveur. Réessayez dans un instant.',
  WITHHELD: 'La clé de ce message n’a pas été donnée à cet appareil.',
  BACKUP_BROKEN: 'Cette sauvegarde est abîmée. Rien n’en a été pris.',
  BACKUP_TRUNCATED: 'Cette sauvegarde n’est pas complète. Rien n’en a été pris.',
  BACKUP_NEWER: 'Cette sauvegarde vient d’une version plus récente de Letro. Mettez d’abord à jour.',
  NOT_A_BACKUP: 'Ce fichier n’est pas une sauvegarde de Letro.',
  BACKUP_VERSION_GONE: 'La sauvegarde de vos clés n’est plus sur le serveur. Il faut en faire une nouvelle.',
  HEADER_BROKEN: 'Ce qui est gardé dans ce navigateur est abîmé et ne s’ouvre pas. Connectez-vous à nouveau.',
  NOT_INVITED:
    'Cette personne n’a pas pu être invitée : son serveur ou le vôtre l’a refusé. Aucune conversation n’a été commencée, et aucun salon vide ne reste.',
  NOT_INVITED_YET:
    'Cette personne n’a pas pu être invitée pour l’instant : votre serveur, ou le sien, est injoignable. Aucun salon vide ne reste ; réessayez plus tard.',
  RECORD_BROKEN:
    'Une partie de ce qui est conservé sur cet appareil est endommagée, et rien n’en est remplacé de soi-même. Un avis près de la liste des salons demande comment continuer.',
  NO_VAULT: 'Rien de ce compte n’est gardé dans ce navigateur.',
  NO_SESSION: 'Vous n’êtes pas connecté sur cet appareil.',
  VAULT_EXISTS: 'Ce navigateur garde déjà quelque chose de ce compte.',
  VAULT_NEWER: 'Ce qui est gardé ici vient d’une version plus récente de Letro. Mettez d’abord à jour.',
  LAST_WAY_IN: 'C’est la seule façon d’ouvrir ce qui est gardé ici. Ajoutez-en d’abord une autre.',
  SHARED_COMPUTER: 'Sur un ordinateur partagé rien n’est gardé : il n’y a rien à ouvrir.',
  STORAGE_KEY_NO_PASSPHRASE:
    'Votre identité ne s’ouvre pas avec une phrase secrète. Prenez la clé de récupération ou une clé d’accès.',
  CHANGED: 'Quelqu’un l’a modifié entre-temps. Regardez de nouveau, puis décidez.',
}

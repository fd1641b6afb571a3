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
  OWNER_GONE: 'L’onglet qui tenait le coffre a été fermé. Vérifiez si c’est fait avant de réessayer.',
  link_unknown: 'Ce lien est inconnu, ou a déjà servi. Demandez-en un nouveau à votre administrateur.',
  link_expired: 'Ce lien a expiré. Demandez-en un nouveau à votre administrateur.',
  NO_PASSKEYS: 'Ce navigateur n’a pas de clés d’accès.',
  PASSKEY_WITHOUT_PRF:
    'Cette clé d’accès ne peut pas ouvrir ce qui est conservé ici. Utilisez un autre moyen.',
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
}

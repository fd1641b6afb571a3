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
}

import type { Translated } from '../catalogue.ts'
import type { enter as en } from '../en/enter.ts'

export const enter: Translated<typeof en> = {
  language: 'Langue',
  startTitle: 'Se connecter à Letro',
  startLead: 'Votre clé d’accès pour {server} vous connecte. Il n’y a pas de mot de passe.',
  signIn: 'Se connecter avec une clé d’accès',
  sharedComputer: 'Cet ordinateur est partagé',
  sharedComputerHint:
    'Rien n’est conservé ici : quand le dernier onglet est fermé, tout disparaît de cet ordinateur.',
  haveLink: 'J’ai une invitation',
  linkOrCode: 'Lien ou code',
  linkHint: 'Tel qu’il figure sur votre feuille, ou qu’un autre de vos appareils l’affiche.',
  linkWrong: 'Ce n’est ni un lien ni un code de ce serveur.',
  lostEverything: 'J’ai tout perdu',
  welcome: 'Bienvenue',
  welcomeName: 'Bienvenue, {name}',
  invitationLead: 'Votre organisation vous a ouvert un compte. Créez une clé d’accès, et vous y êtes.',
  account: 'Compte',
  organisation: 'Serveur',
  validUntil: 'Valable jusqu’au',
  replaces:
    'Une fois terminé, toutes vos clés d’accès précédentes cessent de fonctionner et tout autre appareil est déconnecté. D’ici là, rien ne change.',
  noPasskeys: 'Ce navigateur ne peut pas créer de clés d’accès. Ouvrez le lien dans un navigateur récent.',
  deviceName: 'Nom de cet appareil',
  deviceNameHint: 'Pour le reconnaître parmi vos appareils.',
  createPasskey: 'Créer une clé d’accès',
  whatIsAPasskey:
    'Une clé d’accès est une clé que votre appareil garde pour vous. Votre empreinte, votre visage ou votre code la déverrouille. Elle scelle aussi ce que Letro conserve ici : qui prend cet appareil ne peut rien lire.',
  passphraseTitle: 'Une phrase secrète pour cet appareil',
  passphraseLead:
    'Votre clé d’accès vous connecte, mais elle ne peut pas sceller ici ce qui est conservé. Une phrase secrète le fait. Elle ne vaut que pour cet appareil, et aucun serveur ne l’apprend.',
  passphrase: 'Phrase secrète',
  passphraseHint: {
    one: 'Au moins {count} caractère. Quatre ou cinq mots sans rapport entre eux conviennent bien.',
    other: 'Au moins {count} caractères. Quatre ou cinq mots sans rapport entre eux conviennent bien.',
  },
  passphraseShort: {
    one: 'Il faut au moins {count} caractère.',
    other: 'Il faut au moins {count} caractères.',
  },
  passphraseAgain: 'Phrase secrète, encore une fois',
  passphraseDiffers: 'Les deux ne sont pas identiques.',
  slow: 'C’est plus long que d’habitude.',
  startInstall:
    'Sur iPhone et iPad, ajoutez d’abord Letro à l’écran d’accueil (Partager › Sur l’écran d’accueil) et connectez-vous là : l’app installée a son propre stockage, et le navigateur efface le sien après une semaine sans visite.',
  installTitle: 'Installez d’abord Letro',
  installLead:
    'Sur ce système, l’app installée a son propre stockage. Si vous vous inscriviez ici dans le navigateur, il faudrait recommencer.',
  installCopy: 'Copiez ci-dessous votre code d’invitation.',
  installShare: 'Touchez Partager, puis « Sur l’écran d’accueil ».',
  installOpen: 'Ouvrez Letro depuis l’écran d’accueil et collez-y le code.',
  installSkip: 'Continuer malgré tout dans le navigateur',
  lockedTitle: 'Letro est verrouillé',
  lockedLead:
    'Ce qui est conservé sur cet appareil est scellé. Votre clé d’accès l’ouvre, même sans connexion.',
  unlockPasskey: 'Déverrouiller avec la clé d’accès',
  unlock: 'Déverrouiller',
  usePassphrase: 'Utiliser la phrase secrète',
  useRecoveryKey: 'Utiliser la clé de récupération',
  recoveryKey: 'Clé de récupération',
  recoveryKeyHint: 'Les groupes de lettres et de chiffres que vous avez imprimés ou enregistrés.',
  lostTitle: 'Si tout est perdu',
  lostLead:
    'Ni appareil, ni clé d’accès, ni clé de récupération : voici ce qui revient, et ce qui ne revient pas.',
  lostReturns: 'Ce qui revient',
  lostRooms:
    'Votre compte, vos salons et les personnes qui s’y trouvent, dès qu’un administrateur vous fait une nouvelle invitation.',
  lostWithKey: 'Avec la clé de récupération ou un autre appareil : tous les messages aussi.',
  lostGone: 'Ce qui ne revient pas',
  lostMessages:
    'Les messages et fichiers antérieurs, si rien ne vous reste qui en détient les clés. Personne d’autre ne peut les ouvrir, pas même les administrateurs.',
  lostQueued: 'Les messages qui attendaient sur l’appareil perdu et n’étaient pas partis.',
  lostHow: 'Comment continuer',
  lostSteps:
    'Demandez une nouvelle invitation à un administrateur de votre organisation. Elle met fin à toutes les clés d’accès et à tous les appareils antérieurs ; vos correspondants apprennent que votre identité est nouvelle.',
  forgetDevice: 'Tout effacer de cet appareil',
  forgetDeviceSure:
    'Ce qui est conservé ici disparaît définitivement, y compris les messages en attente d’envoi.',
  forgetDeviceYes: 'Oui, effacer',
  revokedTitle: 'Cet appareil a été déconnecté',
  revokedLead:
    'Vous, sur un autre appareil, ou un administrateur avez mis fin à la session. Ce qui était conservé ici a été effacé.',
  expiredTitle: 'Connectez-vous de nouveau',
  expiredLead:
    'Votre session a expiré. Tout ce qui est sur cet appareil est conservé, y compris les messages en attente.',
  startAgain: 'Recommencer',
  missingTitle: 'Letro ne peut pas fonctionner ici',
  missing_secure_context: 'Cette page a été ouverte sans connexion sécurisée. Ouvrez-la en https.',
  missing_wasm: 'WebAssembly est désactivé dans ce navigateur. Letro s’en sert pour chiffrer et déchiffrer.',
  missing_indexeddb:
    'Ce navigateur ne laisse rien enregistrer à Letro (IndexedDB), peut-être parce que la fenêtre est privée.',
  missing_webcrypto: 'Ce navigateur n’a pas WebCrypto.',
  missing_workers: 'Ce navigateur n’exécute pas les workers dans lesquels Letro garde vos clés.',
  missing_age: 'Ce navigateur est trop ancien pour Letro.',
  missingAdvice:
    'Utilisez une version récente de Chromium, Chrome, Edge, Firefox ou Safari, ou adressez-vous à votre administrateur.',
  waitingTitle: 'Une autre version de Letro est ouverte',
  waitingLead: 'Fermez ses onglets ou fenêtres ; celui-ci continue tout seul.',
  settingUp: 'Un instant',
  settingUpLead: 'Vos clés sont créées sur cet appareil.',
  recoveryTitle: 'Votre clé de récupération',
  recoveryLead:
    'Si vous perdez tous vos appareils et clés d’accès, elle rouvre vos messages. Gardez-la avec vos papiers importants. Personne d’autre ne l’a.',
  recoverySheet: 'Clé de récupération de',
  recoveryFile: 'Clé de récupération Letro. À garder en lieu sûr : elle ouvre tous vos messages.',
  recoveryTypeBack: 'Saisissez le groupe {group} de la clé',
  recoveryTypeHint: 'Depuis votre papier ou fichier : ainsi vous savez que vous l’avez.',
  recoveryWrong: 'Ce groupe est différent.',
  recoveryShow: 'L’afficher de nouveau',
  recoveryKept: 'Je l’ai gardée',
  recoveryLater: 'Dans 30 jours, nous vous demanderons une fois si vous l’avez encore.',
  recoverySkip: 'Plus tard',
  print: 'Imprimer',
  saveFile: 'Enregistrer dans un fichier',
  openTitle: 'Admettre cet appareil',
  openLead:
    'Vous êtes connecté. Pour lire vos messages, cet appareil a besoin de vos clés. Elles sont scellées ; choisissez ce qui les ouvre.',
  openPasskey: 'Ouvrir avec la clé d’accès',
  openDevice: 'Confirmer sur un autre appareil',
  newIdentity: 'Je n’ai rien de tout cela',
  newIdentitySure:
    'Vous recevez une nouvelle identité. Les messages antérieurs restent fermés sur cet appareil, et vos correspondants en sont informés.',
  newIdentityYes: 'Créer une nouvelle identité',
  linkTitle: 'Ajouter cet appareil',
  linkLead:
    'Un autre de vos appareils invite celui-ci. Il sera connecté ici, recevra une clé d’accès et lira vos messages.',
  linkYes: 'Ajouter cet appareil',
  linkNote: 'Ne continuez que si vous venez vous-même d’ouvrir ce code sur votre autre appareil.',
  readOn: 'Lire sans se connecter',
  occupiedTitle: 'Le compte d’une autre personne est ici',
  occupiedLead:
    'Letro garde un seul compte par navigateur. Cette invitation est pour une autre personne et n’a pas été utilisée : ouvrez-la sur son appareil, ou dans un autre navigateur ou profil de navigateur.',
  occupiedGoOn: 'Continuer avec ce compte',
  occupiedHow:
    'Si le compte n’est plus utile ici : déconnectez-vous-en d’abord (Réglages › Se déconnecter), puis rouvrez l’invitation.',
  sealedTitle: 'Il reste ici quelque chose d’une connexion antérieure',
  sealedLead:
    'Ce navigateur conserve une copie scellée de votre compte, d’un appareil connecté ici auparavant. Votre clé d’accès ne l’ouvre pas.',
  sealedReplace: 'La supprimer et continuer',
  sealedLeave: 'La laisser, et ne rien conserver',
  sealedLeaveHint:
    '« Ne rien conserver » : vous utilisez Letro comme sur un ordinateur partagé, jusqu’à la fermeture du dernier onglet.',
  overdueTitle: 'Letro interroge d’abord son serveur',
  overdueLead: {
    one: 'Cet appareil n’a pas eu de contact avec son serveur depuis {count} jour. Selon la règle de votre organisation, il ne s’ouvre alors qu’une fois que le serveur a répondu.',
    other:
      'Cet appareil n’a pas eu de contact avec son serveur depuis {count} jours. Selon la règle de votre organisation, il ne s’ouvre alors qu’une fois que le serveur a répondu.',
  },
  overdueAsking: 'Interrogation du serveur…',
  overdueOffline: 'Le serveur est hors de portée. Letro continue de lui-même dès qu’il répond.',
  lockAgain: 'Verrouiller à nouveau',
  settingUpOffline: 'Le serveur est hors de portée. La suite vient d’elle-même dès qu’il répond.',
  demo: 'DÉMO',
  demoText: 'Personnes inventées, données jetables. Quiconque atteint cette page peut être chacune d’elles.',
  demoPeople: 'Choisissez qui vous êtes',
  lastTitle: 'Vous y êtes',
  lastLead: 'Letro est prêt sur cet appareil.',
  lastConfirm:
    'Encore un geste : votre clé d’accès signe les clés de cet appareil. Les autres voient alors que c’est bien vous qui l’utilisez.',
  confirmDevice: 'Confirmer avec la clé d’accès',
  confirmLater: 'Plus tard',
  open: 'Ouvrir Letro',
  goodToKnow: 'Bon à savoir',
  onlyPasskey:
    'C’est votre seule clé d’accès, et elle n’existe que sur cet appareil. Ajoutez-en une deuxième, sur une clé de sécurité ou un autre appareil, sous Réglages › Clés d’accès.',
  ringsNot: 'Ce téléphone ne sonnera pas quand Letro est fermé. Votre organisation ne l’a pas activé.',
  mayBeCleared:
    'Votre navigateur peut effacer ce qui est stocké ici quand la place vient à manquer. Installer Letro ou autoriser les notifications l’évite en général. Ce que le serveur possède revient.',
  scan: 'Scanner un code QR',
  scanStop: 'Arrêter la caméra',
  scanLabel: 'Caméra : placez le code devant elle',
  noServiceWorker:
    'Dans cette fenêtre, Letro ne s’ouvre que si son serveur est à portée. Une fenêtre privée, ou un réglage, empêche de l’enregistrer.',
  linkInstall:
    'Installez d’abord Letro sur l’écran d’accueil et scannez le code là : l’application installée a son propre stockage.',
  remindRecoveryNever:
    'Vous n’avez pas encore conservé votre clé de récupération. Sans elle, qui perd tous ses appareils perd tous ses messages.',
  remindRecoveryMake: 'Obtenir une clé',
  remindRecovery: 'Avez-vous toujours votre clé de récupération ? Saisissez-en un groupe.',
  remindRecoveryRight: 'Exact : vous l’avez toujours.',
  remindRecoveryLost: 'Je ne l’ai plus',
  remindPasskey:
    'Vous avez une seule clé d’accès, sur un seul appareil. Une deuxième vous évite de rester dehors.',
  remindPasskeyAdd: 'Ajouter une clé d’accès',
  remindLater: 'Pas maintenant',
  invitationFailed: 'Cette invitation ne s’ouvre pas',
  toStart: 'Vers la connexion',
  failedTitle: 'Cela n’a pas fonctionné',
  againLead: 'Votre organisation vous fait revenir. Créez une nouvelle clé d’accès, et vous y êtes.',
}

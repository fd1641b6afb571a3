import type { TrustTexts } from './texts.ts'

export const french: TrustTexts = {
  language: 'Français',
  direction: 'ltr',
  title: host => `Faire reconnaître ${host} à cet appareil`,
  lead: host =>
    `Letro, à l’adresse ${host}, appartient à votre organisation, de même que l’autorité qui s’en porte garante. Cet appareil ne la connaît pas encore. Ensuite, il sera sûr de parler à ${host} et à personne d’autre.`,
  nothingToDo: host =>
    `Il n’y a rien à installer : ${host} a un certificat que les appareils connaissent déjà.`,
  openByName: 'Vous êtes venu par un numéro. Les clés d’accès ne valent que pour le nom : ouvrez désormais',
  testing: 'Vérification : cet appareil la connaît-il déjà …',
  trusted: host => `Cet appareil reconnaît ${host}.`,
  notTrusted:
    'Cet appareil ne la reconnaît pas encore. Suivez ci-dessous les étapes pour votre appareil, puis vérifiez de nouveau.',
  noScript:
    'Cette page ne peut pas vérifier elle-même ici. Après les étapes, ouvrez l’adresse : aucun avertissement ne doit apparaître.',
  again: 'Vérifier de nouveau',
  open: 'Ouvrir Letro',
  compareTitle: 'Avant d’installer : comparez',
  compare:
    'Cette page est arrivée sans protection ; quelqu’un en chemin a pu la modifier. Comparez ces caractères avec votre feuille d’inscription, ou au téléphone avec votre administration. Si l’un d’eux diffère, n’installez rien et prévenez-la.',
  inWords: 'La même en mots :',
  stepsTitle: 'Étapes',
  download: 'Télécharger',
  testAfterwards: 'Puis vérifiez ci-dessus.',
  limits: host =>
    `L’autorité peut se porter garante de ${host} et de rien d’autre : elle ne peut pas lire ce que vous faites ailleurs.`,
  platforms: {
    ios: {
      name: 'iPhone, iPad',
      file: 'mobileconfig',
      steps: [
        'Ouvrez cette page dans Safari, touchez ‹Télécharger› ci-dessous, puis ‹Autoriser›.',
        'Ouvrez ‹Réglages›. En haut figure ‹Profil téléchargé› : touchez-le, puis ‹Installer›.',
        'Comparez l’empreinte sous ‹Plus de détails› avec celle ci-dessus.',
        'Allez dans ‹Réglages› › ‹Général› › ‹Informations› › ‹Réglages des certificats›, tout en bas, et activez l’autorité. Sans cette étape, elle ne compte pas.',
      ],
    },
    android: {
      name: 'Android',
      file: 'crt',
      steps: [
        'Touchez ‹Télécharger› ci-dessous et gardez le fichier.',
        'Ouvrez ‹Paramètres›, cherchez ‹Certificat CA› et choisissez ‹Installer quand même›. Android avertit que vos données pourraient être lues : cette autorité ne vaut que pour un seul serveur.',
        'Choisissez le fichier dans ‹Téléchargements›.',
        'Un verrouillage de l’écran est nécessaire. Un téléphone avec profil professionnel en a besoin dans ce profil : demandez à votre administration.',
      ],
    },
    windows: {
      name: 'Windows (Edge, Chrome)',
      file: 'crt',
      steps: [
        'Cliquez sur ‹Télécharger› ci-dessous et ouvrez le fichier.',
        'L’‹Empreinte numérique› sous ‹Détails› ne se compare qu’avec votre administration ; celle ci-dessus est la plus longue, SHA-256.',
        'Cliquez sur ‹Installer un certificat…›, choisissez ‹Utilisateur actuel›, puis ‹Placer tous les certificats dans le magasin suivant› › ‹Autorités de certification racines de confiance›.',
        'Confirmez et relancez le navigateur.',
      ],
    },
    mac: {
      name: 'Mac (Safari, Chrome)',
      file: 'mobileconfig',
      steps: [
        'Cliquez sur ‹Télécharger› ci-dessous.',
        'Ouvrez ‹Réglages Système› › ‹Général› › ‹Gestion des appareils›, double-cliquez sur le profil, comparez l’empreinte et cliquez sur ‹Installer›.',
        'Saisissez votre mot de passe et relancez le navigateur.',
      ],
    },
    firefox: {
      name: 'Firefox (tout ordinateur)',
      file: 'crt',
      steps: [
        'Cliquez sur ‹Télécharger› ci-dessous et enregistrez le fichier.',
        'Ouvrez ‹Paramètres› › ‹Vie privée et sécurité› › ‹Afficher les certificats…› › ‹Autorités› › ‹Importer…› et choisissez-le.',
        'Cliquez sur ‹Voir›, comparez l’empreinte SHA-256, puis cochez ‹Confirmer cette AC pour identifier des sites web›.',
      ],
    },
  },
}

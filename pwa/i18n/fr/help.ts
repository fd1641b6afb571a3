import type { HelpTexts } from '../help.ts'

export const help: HelpTexts = {
  title: 'Aide',
  contents: 'Sommaire',
  noSuchPage: 'Cette page n’existe pas. Voici ce qu’il y a :',
  articles: {
    install: {
      title: 'Installer Letro',
      lead: 'Comme une application : sa propre fenêtre, sa propre icône, et elle s’ouvre sans connexion.',
      blocks: [
        { heading: 'iPhone et iPad' },
        {
          steps: [
            'Ouvrez l’adresse de votre organisation dans Safari.',
            'Touchez Partager, puis Sur l’écran d’accueil.',
            'Ouvrez Letro depuis l’écran d’accueil, et seulement alors utilisez votre lien d’inscription : ce que vous configurez dans Safari reste dans Safari.',
          ],
        },
        { heading: 'Android' },
        { steps: ['Ouvrez l’adresse dans Chrome.', 'Dans le menu, choisissez Installer l’application.'] },
        { heading: 'Ordinateur' },
        {
          steps: [
            'Dans Chrome ou Edge : l’icône avec un écran et une flèche, dans la barre d’adresse.',
            'Dans Safari sur Mac : Fichier, puis Ajouter au Dock.',
            'Dans Firefox : gardez la page comme onglet épinglé.',
          ],
        },
        'Les mises à jour arrivent d’elles-mêmes. Letro demande avant de se recharger, et jamais pendant que vous écrivez.',
      ],
    },
    'new-phone': {
      title: 'Un nouveau téléphone ou ordinateur',
      lead: 'Tant que vous avez encore un appareil connecté, cela prend une minute.',
      blocks: [
        {
          steps: [
            'Sur l’appareil que vous avez : Réglages, Appareils, Lier un nouvel appareil.',
            'Confirmez avec votre clé d’accès. Un code s’affiche.',
            'Scannez le code avec l’appareil photo du nouvel appareil, et continuez sur celui-ci.',
          ],
        },
        'Les deux appareils se font alors confiance, et vos anciens messages arrivent sur le nouveau.',
        { heading: 'Sans autre appareil' },
        'Ouvrez l’adresse de votre organisation sur le nouvel appareil et connectez-vous avec votre clé d’accès, si elle se trouve dans votre gestionnaire de mots de passe ou sur une clé de sécurité. Saisissez ensuite la clé de récupération quand Letro la demande : elle ramène vos anciens messages.',
        { heading: 'Que faire de l’ancien' },
        'Déconnectez-vous-y avant de vous en séparer. Cela efface tout ce que Letro y garde.',
      ],
    },
    'lost-phone': {
      title: 'Un téléphone perdu',
      lead: 'D’abord le déconnecter, ensuite s’occuper des clés.',
      blocks: [
        {
          steps: [
            'Sur un autre appareil : Réglages, Appareils. Trouvez celui qui est perdu et choisissez Déconnecter. Il ne reçoit plus de nouveaux messages et s’efface dès qu’il redevient joignable.',
            'Réglages, Clés d’accès : retirez celle qui s’y trouvait, si elle n’était que là.',
            'Prévenez vos administrateurs.',
          ],
        },
        'Ce que Letro gardait sur le téléphone est scellé : qui le trouve a besoin de votre empreinte, de votre visage ou de votre code.',
        { heading: 'C’était votre seul appareil' },
        {
          steps: [
            'Demandez à vos administrateurs de le déconnecter, et un nouveau lien d’inscription.',
            'Inscrivez-vous sur le nouvel appareil.',
            'Saisissez votre clé de récupération : votre identité et vos messages reviennent.',
          ],
        },
        { heading: 'La clé de récupération est perdue aussi' },
        'Vous recommencez alors avec une nouvelle identité. Les salons et les personnes reviennent. Les messages dont les clés sont perdues, non : personne ne peut les ouvrir, et c’est ce qui les protège. Tous vos correspondants apprennent que votre identité a changé et décident de l’accepter ou non.',
      ],
    },
    administrators: {
      title: 'Ce que les administrateurs peuvent voir',
      lead: 'Pas ce que vous écrivez. Mais que vous écrivez, et avec qui.',
      blocks: [
        { heading: 'Ils ne peuvent pas voir' },
        {
          list: [
            'ce qui s’écrit dans les salons chiffrés, ni les fichiers, images et messages vocaux qui s’y trouvent ;',
            'ce que vous cherchez, ni vos brouillons ;',
            'vos clés : celles que garde le serveur sont scellées.',
          ],
        },
        { heading: 'Ils peuvent voir' },
        {
          list: [
            'qui a un compte, votre nom et votre image, vos appareils et leur dernière présence ;',
            'quels salons existent, leurs noms et sujets, et qui s’y trouve ;',
            'quand quelqu’un envoie quelque chose, et de quelle taille ; à quel message se rapporte une réponse ou une réaction ;',
            'ce que vous avez lu ; et quand vous écrivez, sauf si vous l’avez désactivé ;',
            'tout ce qui se trouve dans les salons non chiffrés. Letro le dit dans chacun d’eux.',
          ],
        },
        { heading: 'Ils peuvent' },
        {
          list: [
            'verrouiller ou fermer votre compte, et déconnecter vos appareils ;',
            'créer un nouveau lien d’inscription pour votre compte. Qui l’utilise peut écrire en votre nom, mais ne lit rien d’avant, et tous vos correspondants apprennent que l’identité a changé.',
          ],
        },
        'Le serveur fournit aussi cette application. Que personne ne lise par-dessus votre épaule vaut tant qu’il la fournit telle qu’elle a été publiée.',
        'Ce que font les administrateurs est consigné dans un journal.',
      ],
    },
    verification: {
      title: 'Vérification',
      lead: 'Comment être sûr que quelqu’un est bien qui il prétend être.',
      blocks: [
        'Letro retient l’identité de toutes les personnes que vous rencontrez et vous dit si elle change. Quelqu’un qui se trouverait entre vous dès le premier instant ne se remarquerait pas ainsi. La vérification comble cette lacune.',
        {
          steps: [
            'Rencontrez-vous ou appelez-vous.',
            'Ouvrez la personne (son nom, dans le salon) et choisissez Vérifier.',
            'Elle accepte. Scannez le code sur son écran, ou laissez-la scanner le vôtre.',
            'Pas de caméra ? Comparez sept images. Elles doivent être identiques, dans le même ordre.',
          ],
        },
        'Cela prend une minute, et une seule fois. Vos autres appareils en sont informés.',
        { heading: 'Quand une identité change' },
        'Le plus souvent, la personne a perdu tous ses appareils et a recommencé. Ce peut aussi être quelqu’un qui se fait passer pour elle. C’est pourquoi rien n’est envoyé avant votre décision. Demandez par un autre moyen et vérifiez à nouveau ; n’acceptez sans comparer que si vous avez une autre raison d’être sûr.',
        { heading: 'Vos propres appareils' },
        'Un nouvel appareil à vous doit être confirmé par un que vous avez, par votre clé d’accès ou par la clé de récupération. D’ici là, personne ne lui envoie de clés : aucun serveur ne peut glisser un appareil à lui.',
      ],
    },
    marks: {
      title: 'Les marques sur les messages',
      lead: 'Pas de marque : tout est comme il faut.',
      blocks: [
        { heading: 'L’identité a changé' },
        'L’expéditeur a une autre identité que celle que vous connaissez, et vous n’avez pas encore décidé.',
        { heading: 'Envoyé depuis un appareil non confirmé' },
        'Le compte est le bon, mais son propriétaire n’a pas confirmé l’appareil. Il est peut-être nouveau, ou quelqu’un est entré dans le compte. Demandez.',
        { heading: 'Envoyé depuis un appareil inconnu' },
        'L’appareil n’est plus dans la liste de l’expéditeur. Souvent, il a été déconnecté depuis.',
        { heading: 'La clé ne vient pas de l’appareil de l’expéditeur' },
        'Elle vient d’une sauvegarde, d’un fichier ou d’une autre personne. Le message est intact ; rien ne prouve par cryptographie qu’il vient de cet expéditeur. Après une récupération, tous les anciens messages portent cette marque.',
        { heading: 'Illisible' },
        'La clé n’est pas arrivée. Souvent, elle vient quand l’appareil de l’expéditeur ou un autre des vôtres est joignable. Si le message date d’avant votre arrivée, il ne vous était pas destiné.',
      ],
    },
    offline: {
      title: 'Sans connexion',
      lead: 'Letro s’ouvre, lit, cherche et écrit.',
      blocks: [
        'Ce que vous écrivez attend sur cet appareil, scellé. Cela part de soi-même quand le serveur revient, dans l’ordre et une seule fois, même si vous avez fermé le navigateur entre-temps.',
        {
          list: ['En attente : sur cet appareil.', 'Envoyé : le serveur l’a.', 'Lu : quelqu’un l’a vu.'],
        },
        'Les navigateurs peuvent effacer ce qu’ils stockent quand la place manque. Réglages, Confidentialité et verrouillage : demandez au navigateur de le garder. Installer Letro aide.',
      ],
    },
    'sign-out': {
      title: 'Se déconnecter',
      lead: 'Cela efface tout ce que Letro garde sur cet appareil.',
      blocks: [
        'Les messages encore en attente sont perdus : Letro dit combien il y en a.',
        'Pour lire vos messages après une nouvelle connexion, il vous faut un autre appareil, une clé d’accès qui ouvre vos clés, ou la clé de récupération. Si c’est votre seul appareil, assurez-vous de l’avoir : Réglages, Récupération, L’ai-je encore ?',
        'Si vous voulez seulement empêcher les regards : verrouillez. Réglages, Confidentialité et verrouillage, Verrouiller maintenant.',
        { heading: 'Sur un ordinateur partagé' },
        'Indiquez à la connexion que l’ordinateur est partagé. Rien n’est alors conservé : tout disparaît avec le dernier onglet.',
      ],
    },
    shortcuts: {
      title: 'Raccourcis clavier',
      lead: 'Tout dans Letro est accessible au clavier.',
      blocks: [
        {
          keys: [
            ['Ctrl K', 'Aller à un salon, une personne, un mot (sur Mac : ⌘ K)'],
            ['Alt ↓', 'Salon non lu suivant'],
            ['Alt ↑', 'Salon non lu précédent'],
            ['Alt Shift ↓', 'Salon suivant de la liste'],
            ['Alt Shift ↑', 'Salon précédent de la liste'],
            ['↑ ↓', 'Se déplacer dans une liste'],
            ['Enter', 'Ouvrir ; envoyer ce qui est écrit'],
            ['Shift Enter', 'Nouvelle ligne'],
            ['↑', 'Dans un champ vide : modifier votre dernier message'],
            ['Escape', 'Fermer, annuler, revenir'],
            ['?', 'Ces raccourcis'],
            ['Tab', 'À l’endroit suivant'],
          ],
        },
        'Réglages, Apparence et langue : si la touche Entrée envoie.',
      ],
    },
  },
}

import type { SeldomAreas } from '../seldom.ts'

export const seldom: SeldomAreas = {
  damage: {
    title: 'Une partie de ce qui est conservé sur cet appareil est endommagée',
    lead: 'Rien n’en est remplacé de soi-même. Tant que vous n’avez pas décidé, cet appareil risque de ne plus rien recevoir ni envoyer.',
    what_room:
      'Est endommagé ce que cet appareil avait noté du salon {room} : qu’il est chiffré, qui s’y trouve, et qui vous y avez admis.',
    lost_room:
      'Perdu : qui vous avez admis. Il se peut qu’on vous interroge de nouveau sur des personnes de ce salon.',
    stays_room:
      'Conservé : tous les messages et ce qui attend d’être envoyé. Le reste revient du salon lui-même ; ce que vous écrirez ensuite aura une nouvelle clé.',
    what_person:
      'Est endommagé ce que cet appareil avait noté de l’identité de {person} : la clé vue en premier, et si vous l’avez comparée.',
    lost_person:
      'Perdu : ce souvenir. La clé que le serveur montrera ensuite passera pour la première : comparez-la de nouveau avec {person}.',
    stays_person: 'Conservé : tous les messages. Les clés de {person} reviennent du serveur.',
    what_self: 'Est endommagé ce que cet appareil avait noté de votre propre identité.',
    lost_self:
      'Perdu : la preuve qu’elle est à vous. Elle revient du serveur avec votre clé d’accès ou votre clé de récupération, qui vous sera demandée ensuite.',
    stays_self: 'Conservé : salons, messages, brouillons et ce qui attend d’être envoyé.',
    what_key: 'Est endommagée l’une des clés avec lesquelles d’autres commencent à écrire à cet appareil.',
    lost_key:
      'Perdu : ce qui est venu avec cette clé-là. Ces messages risquent de rester illisibles ici, à moins que votre sauvegarde de clés ou un autre de vos appareils n’en ait les clés.',
    stays_key: 'Conservé : tout le reste. De nouvelles clés sont créées.',
    what_device:
      'Sont endommagées les clés de cet appareil lui-même. Sans elles, les autres ne le reconnaissent pas et il ne peut lire ce qui arrive.',
    lost_device:
      'Perdu : cet appareil tel que les autres le connaissent. Vous vous connectez ensuite, et c’est un nouvel appareil dans votre liste. Ce qui est arrivé entre-temps est lisible si votre sauvegarde de clés ou un autre de vos appareils en a les clés.',
    stays_device:
      'Conservé : les salons et messages qui sont ici, les brouillons, ce qui attend d’être envoyé, et les clés des messages plus anciens.',
    goOn: 'Continuer sans',
    sure: 'C’est irréversible. Ce qui est endommagé est mis de côté, sans être lu.',
    yes: 'Y renoncer et continuer',
  },
  day: {
    earlierMonth: 'Mois précédent',
    laterMonth: 'Mois suivant',
    earlierYear: 'Un an plus tôt',
    laterYear: 'Un an plus tard',
    today: 'Aujourd’hui',
    keys: 'Les flèches avancent par jour et par semaine, Page préc. et Page suiv. par mois, avec Maj par année.',
    chosen: 'Choisi : {day}',
  },
}

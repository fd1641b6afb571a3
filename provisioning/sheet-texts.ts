/** What an enrolment sheet says, in four languages. A person gets theirs on paper, and knows nothing of Letro yet. */
export const sheetLanguages = ['en', 'ar', 'de', 'fr'] as const
export type SheetLanguage = (typeof sheetLanguages)[number]

export interface SheetTexts {
  readonly direction: 'ltr' | 'rtl'
  readonly locale: string
  readonly title: string
  readonly lead: (site: string) => string
  readonly trustTitle: string
  readonly trust: string
  readonly compare: string
  readonly openTitle: string
  readonly scan: string
  readonly orType: string
  readonly code: string
  readonly iphone: string
  readonly passkeyTitle: string
  readonly passkey: string
  readonly until: string
  readonly secret: string
  readonly help: string
}

/** Keeps a name's own direction within the sentence. */
const bare = (text: string) => `\u2068${text}\u2069`

export const sheetTexts: Readonly<Record<SheetLanguage, SheetTexts>> = {
  en: {
    direction: 'ltr',
    locale: 'en-GB',
    title: 'Your way into Letro',
    lead: site =>
      `Letro is your organisation’s own messenger, at ${site}. What you write there can be read by those to whom you write and by nobody else, as long as the app is the released one.`,
    trustTitle: 'Let your device recognise the server',
    trust: 'Scan this code, or open the address, and follow the steps for your device.',
    compare: 'Before you install anything, compare: the page must show exactly these characters.',
    openTitle: 'Open your invitation',
    scan: 'Scan this code with the device on which you will use Letro.',
    orType: 'Or open the address and type the code.',
    code: 'Code',
    iphone:
      'On an iPhone or iPad: first open the address in Safari, tap Share, then Add to Home Screen. Open Letro from there and scan the code inside it.',
    passkeyTitle: 'Create your passkey',
    passkey:
      'Your device asks for your fingerprint, face or screen lock: that is how you sign in from then on. Keep the recovery key that you are shown next; without it and without a device, old messages are lost.',
    until: 'Good until',
    secret: 'Until you use it, whoever holds this sheet can take your place. Afterwards it is worth nothing.',
    help: 'Questions?',
  },
  ar: {
    direction: 'rtl',
    locale: 'ar-u-ca-gregory-nu-latn',
    title: 'طريقك إلى ليترو',
    lead: site =>
      `ليترو هو برنامج المراسلة الخاص بمؤسستك، على العنوان ${bare(site)}. ما تكتبه فيه يقرؤه من تكتب إليهم ولا أحد غيرهم، ما دام التطبيق هو الإصدار الرسمي.`,
    trustTitle: 'عرّف جهازك إلى الخادم',
    trust: 'امسح هذا الرمز أو افتح العنوان، واتبع الخطوات الخاصة بجهازك.',
    compare: 'قبل أن تثبّت أي شيء قارن: يجب أن تعرض الصفحة هذه الحروف بعينها.',
    openTitle: 'افتح دعوتك',
    scan: 'امسح هذا الرمز بالجهاز الذي ستستعمل عليه ليترو.',
    orType: 'أو افتح العنوان واكتب الرمز.',
    code: 'الرمز',
    iphone:
      'على آيفون أو آيباد: افتح العنوان أولا في Safari، واضغط مشاركة، ثم إضافة إلى الشاشة الرئيسية. افتح ليترو من هناك وامسح الرمز من داخله.',
    passkeyTitle: 'أنشئ مفتاح المرور',
    passkey:
      'يطلب جهازك بصمتك أو وجهك أو قفل الشاشة: هكذا تدخل من الآن. احفظ مفتاح الاستعادة الذي يُعرض عليك بعد ذلك؛ فمن دونه ومن دون جهاز تضيع الرسائل القديمة.',
    until: 'صالحة حتى',
    secret: 'ما لم تستعملها، فمن يحمل هذه الورقة يستطيع أن يأخذ مكانك. وبعد ذلك لا قيمة لها.',
    help: 'أسئلة؟',
  },
  de: {
    direction: 'ltr',
    locale: 'de-DE',
    title: 'Ihr Weg zu Letro',
    lead: site =>
      `Letro ist der Messenger Ihrer Organisation, unter ${site}. Was Sie dort schreiben, können die lesen, denen Sie schreiben, und sonst niemand, solange die App die veröffentlichte ist.`,
    trustTitle: 'Ihr Gerät soll den Server erkennen',
    trust: 'Scannen Sie diesen Code oder öffnen Sie die Adresse und folgen Sie den Schritten für Ihr Gerät.',
    compare: 'Bevor Sie etwas installieren, vergleichen Sie: Die Seite muss genau diese Zeichen zeigen.',
    openTitle: 'Öffnen Sie Ihre Einladung',
    scan: 'Scannen Sie diesen Code mit dem Gerät, auf dem Sie Letro nutzen werden.',
    orType: 'Oder öffnen Sie die Adresse und tippen Sie den Code ein.',
    code: 'Code',
    iphone:
      'Auf iPhone oder iPad: Öffnen Sie zuerst die Adresse in Safari, tippen Sie auf Teilen, dann auf Zum Home-Bildschirm. Öffnen Sie Letro von dort und scannen Sie den Code darin.',
    passkeyTitle: 'Erstellen Sie Ihren Passkey',
    passkey:
      'Ihr Gerät fragt nach Fingerabdruck, Gesicht oder Bildschirmsperre: So melden Sie sich von da an an. Bewahren Sie den Wiederherstellungsschlüssel auf, der Ihnen danach gezeigt wird; ohne ihn und ohne ein Gerät sind alte Nachrichten verloren.',
    until: 'Gültig bis',
    secret:
      'Solange Sie es nicht benutzt haben, kann sich jeder, der dieses Blatt hat, für Sie ausgeben. Danach ist es wertlos.',
    help: 'Fragen?',
  },
  fr: {
    direction: 'ltr',
    locale: 'fr-FR',
    title: 'Votre accès à Letro',
    lead: site =>
      `Letro est la messagerie de votre organisation, à l’adresse ${site}. Ce que vous y écrivez peut être lu par ceux à qui vous écrivez et par personne d’autre, tant que l’application est celle qui a été publiée.`,
    trustTitle: 'Faites reconnaître le serveur à votre appareil',
    trust: 'Scannez ce code ou ouvrez l’adresse, et suivez les étapes pour votre appareil.',
    compare: 'Avant d’installer quoi que ce soit, comparez : la page doit montrer exactement ces caractères.',
    openTitle: 'Ouvrez votre invitation',
    scan: 'Scannez ce code avec l’appareil sur lequel vous utiliserez Letro.',
    orType: 'Ou ouvrez l’adresse et tapez le code.',
    code: 'Code',
    iphone:
      'Sur iPhone ou iPad : ouvrez d’abord l’adresse dans Safari, touchez Partager, puis Sur l’écran d’accueil. Ouvrez Letro de là et scannez le code à l’intérieur.',
    passkeyTitle: 'Créez votre clé d’accès',
    passkey:
      'Votre appareil demande votre empreinte, votre visage ou le verrouillage de l’écran : c’est ainsi que vous vous connecterez. Gardez la clé de récupération qui vous est montrée ensuite ; sans elle et sans appareil, les anciens messages sont perdus.',
    until: 'Valable jusqu’au',
    secret:
      'Tant que vous ne l’avez pas utilisée, quiconque tient cette feuille peut prendre votre place. Ensuite, elle ne vaut plus rien.',
    help: 'Des questions ?',
  },
}

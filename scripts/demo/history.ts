/** What the people of the demonstration wrote to each other, as data. Nobody in it exists. */
import type { Name, RoomKey } from './organisation.ts'

export interface Line {
  readonly room: RoomKey
  readonly by: Name
  /** Days ago and the time of day; a number alone: minutes ago. */
  readonly at: readonly [days: number, time: string] | number
  readonly text: string
  /** For others to refer to. */
  readonly id?: string
  readonly replyTo?: string
  readonly thread?: string
  readonly mentions?: readonly Name[]
  /** What it says after it was edited. */
  readonly edited?: string
  readonly reactions?: readonly (readonly [Name, string])[]
  readonly withdrawn?: true
  readonly pinned?: true
  /** Instead of a text: a picture or file that the demonstration draws. `text` is its caption. */
  readonly file?: 'roster' | 'floor-plan' | 'checklist'
  /** From here on they have not read yet. */
  readonly unreadBy?: readonly Name[]
}

const room =
  (key: RoomKey) =>
  (by: Name, at: Line['at'], text: string, more: Partial<Line> = {}): Line => ({
    room: key,
    by,
    at,
    text,
    ...more,
  })

const everyone = room('everyone')
const ward = room('ward')
const pharmacy = room('pharmacy')
const management = room('management')
const audit = room('audit')
const amalJonas = room('amal-jonas')
const amalLayla = room('amal-layla')
const jonasClaire = room('jonas-claire')

export const history: readonly Line[] = [
  // ── everyone ───────────────────────────────────────────────────────────────────────────────────────
  everyone('amal', [13, '08:10'], 'صباح الخير جميعًا. من اليوم نكتب هنا بدل البريد.', {
    reactions: [
      ['layla', '👍'],
      ['claire', '👍'],
      ['jonas', '👍'],
    ],
  }),
  everyone(
    'amal',
    [13, '08:12'],
    'Good morning, everyone. From today on we write here instead of by e-mail.',
  ),
  everyone('claire', [13, '08:31'], 'Bonjour ! Finally. My inbox thanks you.'),
  everyone(
    'jonas',
    [12, '14:05'],
    'The lift in the east wing is out of order until Thursday. Please use the north stairs.',
    {
      id: 'lift',
      pinned: true,
    },
  ),
  everyone('layla', [12, '14:20'], 'شكرًا. عربة الأدوية ستأتي من المدخل الشمالي.', { replyTo: 'lift' }),
  everyone('jonas', [9, '09:02'], 'The lift works again.', { reactions: [['layla', '🎉']] }),
  everyone(
    'amal',
    [6, '11:45'],
    'Fire drill on Tuesday at 10:00. It takes twenty minutes; patients stay where they are.',
    {
      id: 'drill',
      reactions: [['claire', '👀']],
    },
  ),
  everyone('claire', [6, '12:01'], 'I have surgery until 10:15 that day.', { thread: 'drill' }),
  everyone('amal', [6, '12:04'], 'Then you stay in theatre. Nobody drills next to an open abdomen.', {
    thread: 'drill',
  }),
  everyone('claire', [6, '12:05'], 'Reassuring.', { thread: 'drill', reactions: [['amal', '😄']] }),
  everyone('layla', [3, '16:40'], 'الصيدلية تغلق غدًا الساعة الرابعة بسبب الجرد.', {
    reactions: [['amal', '👍']],
  }),
  everyone(
    'amal',
    170,
    'The new badges are at reception. Please take yours before Friday, with your old one.',
    {
      unreadBy: ['jonas', 'claire'],
    },
  ),

  // ── ward 4 ─────────────────────────────────────────────────────────────────────────────────────────
  ward(
    'jonas',
    [11, '06:55'],
    'Handover: quiet night. Bed 3 slept, bed 7 asked for water twice and for the news once.',
    {
      reactions: [['claire', '🙏']],
    },
  ),
  ward('claire', [11, '07:20'], 'Thank you. I start my round at bed 7 then.'),
  ward('claire', [11, '11:10'], 'Bed 3 may go home tomorrow if the afternoon values are good.', {
    id: 'bed3',
  }),
  ward('jonas', [11, '15:30'], 'They are good. I call the family.', {
    replyTo: 'bed3',
    reactions: [['claire', '✅']],
  }),
  ward(
    'jonas',
    [8, '06:58'],
    'Handover: **two admissions** since midnight, beds 2 and 5. Notes are in the system. Bed 5 is allergic to penicillin.',
    {
      id: 'allergy',
      pinned: true,
      reactions: [
        ['claire', '👀'],
        ['layla', '👍'],
      ],
    },
  ),
  ward('layla', [8, '07:15'], 'Noted. Everything for bed 5 comes without it, and with a red label.', {
    replyTo: 'allergy',
  }),
  ward(
    'claire',
    [8, '09:40'],
    'Can somebody show me how the new infusion pumps tell that they are unhappy? Ours blinks in three colours.',
    {
      id: 'pumps',
    },
  ),
  ward('jonas', [8, '09:44'], 'Green: fine. Amber: wants something within the hour. Red: wants it now.', {
    thread: 'pumps',
  }),
  ward('claire', [8, '09:45'], 'And amber *and* green at once?', { thread: 'pumps' }),
  ward('jonas', [8, '09:47'], 'Then it is updating itself. I did not know either; I asked the supplier.', {
    thread: 'pumps',
    reactions: [['claire', '😂']],
  }),
  ward('amal', [8, '10:02'], 'سأطلب من المورّد ورقة تعليمات بالعربية أيضًا.', { thread: 'pumps' }),
  ward('jonas', [5, '13:00'], 'The roster for December.', { file: 'roster', id: 'roster', pinned: true }),
  ward('claire', [5, '13:22'], 'I cannot do the 14th, my sister marries. Anybody for a swap?', {
    replyTo: 'roster',
    mentions: ['jonas'],
  }),
  ward('jonas', [5, '13:30'], 'I take it, if you take the 27th.', {
    edited: 'I take it, if you take the 26th.',
  }),
  ward('claire', [5, '13:31'], 'Deal. Thank you!', { reactions: [['jonas', '🤝']] }),
  ward(
    'amal',
    [2, '10:15'],
    'Visitors on Sunday: please not more than two at a time, the corridor is being painted.',
  ),
  ward(
    'jonas',
    [1, '06:57'],
    'Handover: bed 2 had a fever of 38.4 at four, fell to 37.6 after paracetamol. Everything else calm.',
  ),
  ward('claire', [1, '07:30'], 'Seen. Blood culture is on its way to the laboratory.'),
  ward('layla', [1, '08:05'], 'المضاد الحيوي جاهز في الصيدلية، يمكن لأحدكم أن يستلمه.', {
    mentions: ['jonas'],
  }),
  ward('jonas', [1, '08:09'], 'On my way.'),
  ward('claire', 95, 'Culture of bed 2 is negative. We stop the antibiotic after today’s dose.', {
    id: 'culture',
    unreadBy: ['amal', 'layla'],
  }),
  ward('jonas', 91, 'Good news. I tell the night shift.', { replyTo: 'culture' }),
  ward('claire', 40, '@أمل ناصر the painters are done with the corridor. Shall we lift the visitor rule?', {
    mentions: ['amal'],
  }),

  // ── pharmacy ───────────────────────────────────────────────────────────────────────────────────────
  pharmacy('layla', [12, '09:00'], 'أهلًا بكم. هنا نكتب عن الطلبات والنواقص فقط، حتى لا يضيع شيء.'),
  pharmacy('claire', [12, '09:30'], 'Bonjour Layla. Will you also answer questions about doses here?'),
  pharmacy('layla', [12, '09:33'], 'Gladly, and in any language that I can read.', {
    reactions: [['claire', '❤️']],
  }),
  pharmacy('layla', [7, '10:10'], 'الأنسولين سريع المفعول: بقيت 12 علبة. طلبت 40 وتصل يوم الاثنين.', {
    id: 'insulin',
    reactions: [['amal', '👍']],
  }),
  pharmacy('amal', [7, '10:25'], 'هل تكفي الكمية حتى الاثنين؟', { replyTo: 'insulin' }),
  pharmacy('layla', [7, '10:27'], 'نعم، نستهلك ثلاث علب في اليوم تقريبًا.'),
  pharmacy('layla', [4, '12:00'], 'وصلت الشحنة كاملة: 40 علبة، درجة الحرارة سليمة طوال الطريق (2–8 °C).', {
    reactions: [
      ['amal', '🎉'],
      ['claire', '👏'],
    ],
  }),
  pharmacy('claire', [3, '15:05'], 'Question: bed 6 weighs 48 kg. Is 500 mg of the usual still right?', {
    id: 'dose',
  }),
  pharmacy('layla', [3, '15:09'], 'Half of it, twice a day. I write it into the chart and you sign.', {
    replyTo: 'dose',
  }),
  pharmacy('claire', [3, '15:10'], 'Signed. Thank you for being so quick.'),
  pharmacy('layla', [1, '16:30'], 'قائمة الجرد لشهر نوفمبر.', { file: 'checklist' }),
  pharmacy('layla', 60, 'تنبيه: كود الرف الجديد للمضادات هو AB-204، والقديم لم يعد صالحًا.', {
    unreadBy: ['amal'],
  }),

  // ── management ─────────────────────────────────────────────────────────────────────────────────────
  management(
    'amal',
    [10, '17:00'],
    'The budget for 2027 goes to the board on the 30th. I need the numbers of nursing by Wednesday.',
    {
      id: 'budget',
      mentions: ['jonas'],
    },
  ),
  management('jonas', [10, '17:20'], 'You get them on Tuesday.', { replyTo: 'budget' }),
  management(
    'jonas',
    [7, '18:02'],
    'Two more nurses for nights, one less for the day in summer. That makes 1.4 positions.',
  ),
  management('amal', [7, '18:10'], 'أوافق. سأضيفها كما هي.'),
  management('amal', [2, '09:20'], 'The plan for the extension, second draft.', { file: 'floor-plan' }),
  management(
    'jonas',
    [2, '09:41'],
    'The medicine room has no window: good. But its door opens into the corridor, and beds pass there.',
    {
      reactions: [['amal', '👍']],
    },
  ),
  management('amal', [2, '09:43'], 'I ask the architect to turn it round.'),

  // ── audit ──────────────────────────────────────────────────────────────────────────────────────────
  audit(
    'amal',
    [6, '14:00'],
    'Welcome, Peter. Here you meet Jonas and me; everything else of the clinic stays out of your sight.',
    {
      mentions: ['peter'],
    },
  ),
  audit('peter', [6, '14:12'], 'Thank you. That is how I like it.'),
  audit(
    'peter',
    [5, '10:00'],
    'My first three questions: who may open the medicine room, since when, and who signs for it?',
    { id: 'questions' },
  ),
  audit(
    'jonas',
    [5, '11:30'],
    'Four people; since May; the one who opens. The list hangs inside, I photograph it for you tomorrow.',
    {
      replyTo: 'questions',
    },
  ),
  audit('peter', [4, '09:15'], 'Please send me the patients’ names of last week’s sample.', {
    withdrawn: true,
  }),
  audit('peter', [4, '09:16'], 'Excuse me, withdrawn: numbers are enough, I must not have names.', {
    reactions: [['amal', '🙏']],
  }),
  audit('amal', [4, '09:30'], 'Numbers 1 to 25, on paper, on Thursday.'),
  audit('peter', 200, 'I am done with the sample: no objections. The report follows next week.', {
    unreadBy: ['jonas'],
    reactions: [['amal', '🎉']],
  }),

  // ── two people ─────────────────────────────────────────────────────────────────────────────────────
  amalJonas('amal', [9, '16:00'], 'Do you have ten minutes tomorrow? It is about the night shifts.'),
  amalJonas('jonas', [9, '16:04'], 'At half past nine, at your office?'),
  amalJonas('amal', [9, '16:05'], 'Perfect.', { reactions: [['jonas', '👍']] }),
  amalJonas('jonas', [4, '19:10'], 'Thank you for your words to the team today. They needed them.'),
  amalJonas('amal', [4, '19:32'], 'They deserved them.'),
  amalJonas(
    'jonas',
    25,
    'One of the new nurses asks whether she may start a week earlier. From my side yes.',
    { unreadBy: ['amal'] },
  ),

  amalLayla('layla', [8, '12:00'], 'مرحبًا أمل، هل أستطيع أن آخذ إجازة من 20 إلى 24؟', { id: 'leave' }),
  amalLayla('amal', [8, '12:15'], 'بالتأكيد. من ينوب عنك؟', { replyTo: 'leave' }),
  amalLayla('layla', [8, '12:17'], 'سامي من المستشفى الجامعي، وافق اليوم.'),
  amalLayla('amal', [8, '12:20'], 'ممتاز، إجازة سعيدة! 🌴', { reactions: [['layla', '❤️']] }),
  amalLayla('layla', 130, 'أرسلت لك رقم الطلب: PO-2026-1187. هل وصلك؟', { unreadBy: ['amal'] }),

  jonasClaire('claire', [5, '13:35'], 'Again: thank you for the 14th.'),
  jonasClaire('jonas', [5, '13:36'], 'Dance for me too.', { reactions: [['claire', '💃']] }),
  jonasClaire('claire', [1, '18:20'], 'How is bed 2?'),
  jonasClaire('jonas', [1, '18:24'], 'Sleeping. 37.2.'),
]

/** All that was ever written, what was edited and withdrawn included. */
export function sentTexts(): string[] {
  return history.flatMap(({ text, edited }) => (edited === undefined ? [text] : [text, edited]))
}

/** A room with history, and what the worker would say of it. For tests alone. */
import type { RoomEntry } from '../../../pwa/sync/room-entry.ts'
import type { TimelineItem, TimelinePage, TimelineQuery } from '../../../pwa/sync/timeline-item.ts'
import type { Notice } from '../../../pwa/views/account.ts'
import type { Member, RoomDetail } from '../../../pwa/worker/calls.ts'
import { amal, item, jonas, member, minute, noon, samir } from '../room/items.ts'

export const us = amal
export const roomId = '!ward:clinic.example'
const lina = '@lina:clinic.example'
const day = 24 * 60 * minute
const file = (id: string) => ({ url: `mxc://clinic.example/${id}`, v: 'v2', key: {}, iv: 'x', hashes: {} })

function people(language: string): Member[] {
  const person = (userId: string, name: string, change: Partial<Member> = {}): Member => ({
    userId,
    name,
    ambiguous: false,
    avatar: null,
    membership: 'join',
    power: 0,
    external: false,
    ...change,
  })
  const ar = language === 'ar'
  return [
    person(amal, ar ? 'أمل ناصر' : 'Amal Nasser', { power: 100 }),
    person(jonas, 'Jonas Weber', { external: true }),
    person(samir, ar ? 'سمير حداد' : 'Samir Haddad', { power: 50 }),
    person(lina, ar ? 'لينا خوري' : 'Lina Khoury'),
  ]
}

function story(language: string): TimelineItem[] {
  const ar = language === 'ar'
  const say = (en: string, arabic: string) => ({ msgtype: 'm.text', body: ar ? arabic : en })
  const names = new Map(people(language).map(each => [each.userId, each.name]))
  const line = (id: string, sender: string, minutes: number, change: Partial<TimelineItem>) =>
    item(id, { sender, senderName: names.get(sender)!, ts: noon + minutes * minute, ...change })
  return [
    line('create', samir, -2 * 1440, { type: 'm.room.create', stateKey: '', content: {} }),
    line('encryption', samir, -2 * 1440, { type: 'm.room.encryption', stateKey: '', content: {} }),
    line('name', samir, -2 * 1440, {
      type: 'm.room.name',
      stateKey: '',
      content: { name: ar ? 'رسائل الخروج' : 'Discharge letters' },
    }),
    line('j1', jonas, -2 * 1440 + 3, {
      type: 'm.room.member',
      stateKey: jonas,
      content: { membership: 'join' },
    }),
    line('m0', lina, -1440, {
      content: say('Good morning. Bed 12 goes home tomorrow.', 'صباح الخير. السرير 12 يغادر غدًا.'),
    }),
    line('m1', samir, -1436, {
      content: say('Thank you. I will prepare the papers. 👍', 'شكرًا. سأجهز الأوراق. 👍'),
      replyTo: {
        eventId: '$m0',
        item: {
          sender: lina,
          senderName: names.get(lina)!,
          text: ar ? 'صباح الخير. السرير 12 يغادر غدًا.' : 'Good morning. Bed 12 goes home tomorrow.',
        },
      },
    }),
    line('inv', samir, -1430, {
      type: 'm.room.member',
      stateKey: '@x:y',
      content: { membership: 'invite', displayname: 'Dr. Fares' },
    }),
    line('m2', samir, 2, {
      content: say(
        'The letter for bed 12 is ready. I attach the version that the family has seen.',
        'رسالة السرير 12 جاهزة. أرفق النسخة التي اطلعت عليها العائلة.',
      ),
      thread: {
        count: 3,
        lastTs: noon + 40 * minute,
        lastSenderName: names.get(lina)!,
        lastText: ar ? 'التاريخ صحيح الآن.' : 'The date is right now.',
        unread: true,
      },
    }),
    line('m3', samir, 2, {
      content: {
        msgtype: 'm.file',
        body: ar ? 'رسالة الخروج، السرير 12.pdf' : 'Discharge letter, bed 12.pdf',
        file: file('letter'),
        info: { mimetype: 'application/pdf', size: 184_000 },
      },
      reactions: [
        {
          key: '✓',
          senders: [amal, jonas, lina, '@a:x'].map(userId => ({ userId, name: names.get(userId) ?? userId })),
          ours: '$r',
        },
        { key: '👀', senders: [{ userId: jonas, name: 'Jonas Weber' }], ours: null },
      ],
    }),
    line('m4', jonas, 9, {
      content: {
        ...say(
          'Received. The court needs the date of the **second examination** on page one, please: https://court.example/forms/12',
          'تم الاستلام. تحتاج المحكمة تاريخ الفحص الثاني في الصفحة الأولى: https://court.example/forms/12',
        ),
        ...(!ar && {
          format: 'org.matrix.custom.html',
          formatted_body:
            'Received. The court needs the date of the <strong>second examination</strong> on page one, please:<ul><li>examined on</li><li>by whom, <a href="https://matrix.to/#/@amal:clinic.example">Amal</a>?</li></ul><a href="https://evil.example/x">https://court.example/forms/12</a>',
        }),
      },
      mentionsUs: true,
    }),
    line('m5', jonas, 11, { content: say('And one more page.', 'وصفحة أخرى.'), shield: 'unsigned-device' }),
    line('m6', amal, 14, {
      content: say(
        'It is there now, under the signature. Please compare with the scan of the 12th.',
        'أصبح هناك الآن، تحت التوقيع. يرجى المقارنة مع نسخة الثاني عشر.',
      ),
      state: 'read',
      editedTs: noon + 15 * minute,
    }),
    line('m7', lina, 16, {
      content: {
        msgtype: 'm.image',
        body: 'scan.png',
        filename: 'scan.png',
        file: file('picture'),
        info: { mimetype: 'image/png', size: 90_000, w: 640, h: 400 },
      },
      readBy: [jonas, samir, lina, '@c:court.example', '@d:court.example'],
    }),
    line('m8', lina, 18, {
      content: {
        msgtype: 'm.audio',
        body: 'voice.webm',
        file: file('voice'),
        info: { mimetype: 'audio/webm', duration: 14_000 },
        'org.matrix.msc3245.voice': {},
        'org.matrix.msc1767.audio': {
          duration: 14_000,
          waveform: Array.from({ length: 90 }, (_, i) =>
            Math.round(512 + 500 * Math.sin(i / 3) * Math.cos(i / 11)),
          ),
        },
      },
    }),
    line('m9', jonas, 19, {
      type: 'm.room.encrypted',
      content: {},
      unreadable: { code: 'NO_SESSION', withheld: null },
    }),
    line('m10', samir, 22, { content: say('The signed copy is in the file.', 'النسخة الموقعة في الملف.') }),
    line('m11', samir, 23, { content: {}, redacted: { by: samir, byName: 'Samir', reason: null } }),
    line('m12', amal, 24, {
      content: say('Thank you. I will tell the family.', 'شكرًا. سأخبر العائلة.'),
      state: 'queued',
      eventId: null,
    }),
    line('m13', amal, 25, {
      content: {
        msgtype: 'm.file',
        body: 'plan.xlsx',
        info: { mimetype: 'application/vnd.ms-excel', size: 9_400_000 },
      },
      state: 'failed',
      eventId: null,
      problem: { code: 'M_TOO_LARGE', message: 'Upload larger than 8 MB', blockedBy: [] },
    }),
  ]
}

/** Many lines, of every kind, in two scripts. */
function longStory(count: number): TimelineItem[] {
  const senders = [jonas, samir, lina, amal]
  const texts = ['Yes.', 'The bed is free from noon on. '.repeat(4), 'نعم، سأكون هناك بعد الجولة.', 'a\nb\nc']
  return Array.from({ length: count }, (_, i) =>
    i % 97 === 0
      ? member(`s${i}`, senders[i % 4]!, 'join', { ts: noon - (count - i) * minute })
      : item(`l${i}`, {
          sender: senders[Math.floor(i / 3) % 4]!,
          senderName: 'Somebody',
          ts: noon - (count - i) * minute,
          content: { msgtype: 'm.text', body: `${i}: ${texts[i % texts.length]}` },
        }),
  )
}

class World {
  onNotice: (notice: Notice) => void = () => {}
  readonly asked: { name: string; argument: unknown }[] = []
  readonly #wanted = new URLSearchParams(globalThis.location?.search ?? '')
  readonly #language = this.#wanted.get('lang') ?? 'en'
  items: TimelineItem[] = this.#wanted.has('items')
    ? longStory(Number(this.#wanted.get('items')))
    : story(this.#language)
  blockedBy: string[] = this.#wanted.has('blocked') ? [jonas] : []
  draft: unknown = null
  fails: string | null = null

  entry(): RoomEntry {
    return {
      roomId,
      membership: 'join',
      isSpace: false,
      directWith: [],
      name: this.#language === 'ar' ? 'رسائل الخروج' : 'Discharge letters',
      avatar: null,
      topic: null,
      encrypted: true,
      parents: [],
      children: [],
      joinedCount: 12,
      invitedCount: 0,
      servers: ['clinic.example', 'court.example'],
      guests: 0,
      frozen: this.#wanted.has('frozen') ? { server: 'stranger.example', by: samir, sinceTs: noon } : null,
      unread: Number(this.#wanted.get('unread') ?? 0),
      mentions: 0,
      markedUnread: false,
      muted: false,
      favourite: false,
      lowPriority: false,
      lastTs: noon,
      preview: null,
      waiting: this.#wanted.has('frozen') ? 1 : 0,
      failed: 0,
      draft: false,
      blockedBy: this.blockedBy,
      invite: null,
      replacedBy: null,
    }
  }

  detail(): RoomDetail {
    return {
      entry: this.entry(),
      version: '12',
      creators: [samir],
      joinRule: 'invite',
      historyVisibility: 'shared',
      canonicalAlias: null,
      pinned: ['$m2'],
      readUpTo: this.#wanted.get('read') ?? null,
      powerLevels: {},
      ourPower: 100,
      may: {
        send: !this.#wanted.has('silent'),
        invite: true,
        kick: true,
        ban: true,
        redactOthers: true,
        pin: true,
        rename: true,
        setPower: true,
        upgrade: true,
        notifyRoom: true,
      },
    }
  }

  /** A new line at the end, as sync brings it. */
  add(text: string, sender: string = jonas): void {
    const id = `n${this.items.length}`
    this.items = [
      ...this.items,
      item(id, {
        sender,
        ts: noon + (30 + this.items.length) * minute,
        content: { msgtype: 'm.text', body: text },
      }),
    ]
    this.onNotice({ kind: 'timeline', roomId })
  }

  async answer(name: string, argument: unknown): Promise<unknown> {
    this.asked.push({ name, argument })
    if (this.fails === name) throw Object.assign(new Error('no room left'), { code: 'VAULT_FULL' })
    switch (name) {
      case 'state':
        return { vault: 'open', waysIn: [], release: '0', damaged: [] }
      case 'session':
        return {
          userId: us,
          deviceId: 'D',
          serverName: 'clinic.example',
          displayName: 'Amal',
          avatar: null,
          isAdministrator: false,
          setup: 'ready',
        }
      case 'connection':
        return { state: 'online', code: null, lastTs: 1, firstSyncDone: true }
      case 'rooms':
        return [this.entry()]
      case 'room':
        return this.detail()
      case 'organisations':
        return {}
      case 'members':
        return people(this.#language)
      case 'timeline':
        return this.#page(argument as TimelineQuery)
      case 'typingIn':
        return this.#wanted.has('typing') ? [jonas, lina] : []
      case 'draft':
        return (argument as { threadRoot: string | null }).threadRoot === null ? this.draft : null
      case 'send':
        return this.#send(argument as { type: string; content: TimelineItem['content'] })
      case 'media':
        return this.#wanted.has('bomb') ? bomb() : picture()
      case 'person':
        return { userId: jonas, standing: 'changed', fingerprint: null, devices: [] }
      case 'edits':
        return [
          { ts: noon, content: { body: 'It is there.' } },
          { ts: noon + minute, content: { body: 'It is there now.' } },
        ]
      default:
        return null
    }
  }

  #send({ type, content }: { type: string; content: TimelineItem['content'] }): string {
    const id = `t${this.items.length}`
    if (type === 'm.room.message') {
      this.items = [
        ...this.items,
        item(id, {
          sender: us,
          senderName: 'Amal',
          ts: noon + 60 * minute,
          content,
          state: 'queued',
          eventId: null,
        }),
      ]
      this.onNotice({ kind: 'timeline', roomId })
    }
    return id
  }

  #page({ at, before, after, threadRoot }: TimelineQuery): TimelinePage {
    const items =
      threadRoot === undefined
        ? this.items
        : this.items.filter(each => each.eventId === threadRoot || /^m(10|7)$/.test(each.key))
    const place =
      at === 'end'
        ? items.length
        : items.findIndex(each => ('eventId' in at ? each.eventId === at.eventId : each.ts >= at.ts))
    const start = Math.max(0, place - before)
    const end = Math.min(items.length, at === 'end' ? items.length : place + 1 + after)
    return {
      items: items.slice(start, end),
      hasOlder: start > 0,
      hasNewer: end < items.length,
      offline: false,
    }
  }
}

/** A PNG that says it is 60,000 pixels wide and high. */
function bomb(): Blob {
  const head = new Uint8Array(33)
  head.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52])
  const view = new DataView(head.buffer)
  view.setUint32(16, 60_000)
  view.setUint32(20, 60_000)
  head.set([8, 2], 24)
  return new Blob([head], { type: 'image/png' })
}

async function picture(): Promise<Blob> {
  const canvas = new OffscreenCanvas(640, 400)
  const context = canvas.getContext('2d')!
  context.fillStyle = '#e2dcd0'
  context.fillRect(0, 0, 640, 400)
  context.fillStyle = '#1b2230'
  for (let i = 0; i < 12; i++) context.fillRect(60, 50 + i * 26, 300 + ((i * 97) % 220), 8)
  return canvas.convertToBlob({ type: 'image/png' })
}

export const world = new World()
export { day }

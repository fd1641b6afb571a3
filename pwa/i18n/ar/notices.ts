import type { Translated } from '../catalogue.ts'
import type { notices as english } from '../en/notices.ts'

export const notices: Translated<typeof english> = {
  alarm: 'هناك خلل في الخادم. تجد في الإدارة ما يجب فعله الآن.',
  warning: 'يحتاج الخادم إليك في الأيام القادمة. تجد السبب في الإدارة.',
  endsSoon: 'ينتهي حساب {target} في {date}. من يُراد بقاؤه يحتاج إلى يوم لاحق يحدّده أحد المسؤولين.',
  ended: 'انتهى حساب {target} في {date}، وسُجّل خروجه من كل مكان.',
  peerConflict:
    'بطاقتان مختلفتان للخادم {target} تحملان الرقم نفسه. قد يكون مفتاحه لدى شخص آخر: أوقفه مؤقتًا واتصل بمسؤوله.',
  passkeyCopied: 'يبدو أن أحد مفاتيح المرور لدى {target} موجود مرتين. أزله، واطلب إنشاء مفتاح جديد.',
  recovered: 'أُنشئ على جهاز الخادم رابط لاستعادة {target} مسؤولًا. إن لم يفعل ذلك أحد منكم، فتصرّف فورًا.',
  other: '{action}: {target}. التفاصيل في الإدارة.',
  seen: 'اطّلعت',
}

import type { Translated } from '../catalogue.ts'
import type { errors as en } from '../en/errors.ts'

export const errors: Translated<typeof en> = {
  unknown: 'حدث خطأ ({code}).',
  OFFLINE: 'الخادم خارج المتناول.',
  TIMED_OUT: 'لم يُجب الخادم في الوقت المحدد.',
  M_FORBIDDEN: 'الخادم لا يسمح بهذا.',
  M_LIMIT_EXCEEDED: 'طلبات كثيرة جدًا. انتظر لحظة ثم أعد المحاولة.',
  M_UNKNOWN_TOKEN: 'انتهت هذه الجلسة. سجّل الدخول من جديد.',
  M_NOT_FOUND: 'الخادم لا يعرف هذا.',
  M_TOO_LARGE: 'هذا أكبر مما يقبله الخادم.',
  M_UNRECOGNIZED: 'الخادم لا يقدّم هذا.',
  M_USER_LOCKED: 'حسابك مقفل. اسأل المسؤول لديك.',
  M_USER_SUSPENDED: 'حسابك موقوف: يمكنك القراءة لا الكتابة.',
  M_USER_DEACTIVATED: 'أُغلق هذا الحساب.',
  VAULT_FULL: 'لم تبقَ مساحة على هذا الجهاز. لم يضِع شيء؛ أفسح مساحة ثم تابع.',
  VAULT_LOCKED: 'ليترو مقفل على هذا الجهاز.',
  WRONG_KEY: 'هذا لا يفتحه.',
  INTERNAL: 'تعطّل شيء في التطبيق. أعد التحميل؛ لم يضِع شيء أُرسل أو استُلم.',
  OWNER_GONE: 'أُغلقت علامة التبويب التي كانت تحمل الخزنة. تحقق مما إذا كان الأمر قد تم قبل أن تعيد المحاولة.',
}

import type { Translated } from '../catalogue.ts'
import type { parts as en } from '../en/parts.ts'

export const parts: Translated<typeof en> = {
  close: 'إغلاق',
  cancel: 'إلغاء',
  save: 'حفظ',
  back: 'رجوع',
  more: 'المزيد',
  loading: 'جارٍ التحميل',
  retry: 'إعادة المحاولة',
  details: 'التفاصيل',
  copy: 'نسخ',
  copied: 'تم النسخ',
  yes: 'نعم',
  no: 'لا',
  search: 'بحث',
  done: 'تم',
  next: 'التالي',
  nobody: 'لا أحد',
  unnamed: 'بلا اسم',
  camera_NotAllowedError:
    'لا يُسمح باستخدام الكاميرا هنا. اسمح بها في إعدادات المتصفح، أو اختر الطريقة الأخرى.',
  camera_none: 'لا توجد كاميرا يمكن استخدامها هنا.',
}

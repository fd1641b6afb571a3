/**
 * The 64 pictures of a short authentication string, in the specification's order, and their names.
 *
 * Spec: client-server-api#sas-method-emoji. Two people may read them to each other over the phone: the names are in the
 * language of the app, as the specification translates them, and loaded when somebody verifies.
 */
import type { Language } from '../../i18n/i18n.ts'

const pictures =
  '🐶 🐱 🦁 🐎 🦄 🐷 🐘 🐰 🐼 🐓 🐧 🐢 🐟 🐙 🦋 🌷 🌳 🌵 🍄 🌏 🌙 ☁️ 🔥 🍌 🍎 🍓 🌽 🍕 🎂 ❤️ 😀 🤖 🎩 👓 🔧 🎅 👍 ☂️ ⌛ ⏰ 🎁 💡 📕 ✏️ 📎 ✂️ 🔒 🔑 🔨 ☎️ 🏁 🚂 🚲 ✈️ 🚀 🏆 ⚽ 🎸 🎺 🔔 ⚓ 🎧 📁 📌'

export const emojiPictures: readonly string[] = pictures.split(' ')

const names: Record<Language, () => Promise<{ readonly emojiNames: readonly string[] }>> = {
  en: () => import('../../i18n/en/emoji.ts'),
  ar: () => import('../../i18n/ar/emoji.ts'),
  de: () => import('../../i18n/de/emoji.ts'),
  fr: () => import('../../i18n/fr/emoji.ts'),
}

export async function emojiNames(language: Language): Promise<readonly string[]> {
  return (await names[language]()).emojiNames
}

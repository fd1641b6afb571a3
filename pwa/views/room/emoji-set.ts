/** The reactions that we offer: few enough to find by eye. Every Matrix client shows them. Loaded with the picker. */
import type { Key } from '../../i18n/i18n.ts'

export interface EmojiGroup {
  readonly key: Key
  readonly emoji: readonly string[]
}

export const emojiGroups: readonly EmojiGroup[] = [
  {
    key: 'room.emojiHands',
    emoji: of('👍 👎 👏 🙏 🤝 💪 👌 ✌️ 🤞 👋 🙌 ✋ 👀 🫡 🤷 🙋 🧑‍⚕️ 🧑‍⚖️ 🧑‍🔧 🧑‍💻 👶 🧓 👪 🏃'),
  },
  {
    key: 'room.emojiFaces',
    emoji: of('🙂 😀 😂 😊 😍 😉 😎 🤔 😮 😴 😕 😢 😭 😡 😱 😬 🙄 😅 🥳 🤒 😇 🤗 😐 😶'),
  },
  {
    key: 'room.emojiHearts',
    emoji: of('❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 ✅ ❌ ❓ ❗ ⭐ 🔥 💯 ➕ ➖ 🔴 🟡 🟢 🔵 ⬆️ ⬇️'),
  },
  {
    key: 'room.emojiThings',
    emoji: of('📌 📎 📄 📁 📅 ✏️ 🔒 🔑 💡 🔔 📞 💻 🖨️ 📷 🚗 🚑 ✈️ 🏥 🏛️ 🏠 💊 🩺 ⚖️ ⏰'),
  },
  { key: 'room.emojiNature', emoji: of('☀️ ⛅ 🌧️ ❄️ ⚡ 🌈 🌙 🌊 🌱 🌳 🌹 🌻 🍀 🐦 🐟 🐝') },
  { key: 'room.emojiFood', emoji: of('☕ 🍵 🍞 🍎 🍊 🍇 🥗 🍲 🍰 🎂 🎉 🎁 🎈 🏆 🎵 ⚽') },
]

function of(list: string): string[] {
  return list.split(' ')
}

export const seldom = {
  damage: {
    title: 'A part of what is stored on this device is damaged',
    lead: 'Nothing of it is replaced by itself. Until you decide, this device may neither receive nor send.',
    what_room:
      'Damaged is what this device noted about the room {room}: that it is encrypted, who is in it, and whom you let in.',
    lost_room: 'Lost: whom you let in. You may be asked again about people in this room.',
    stays_room:
      'Stays: all messages, and what waits to be sent. The rest comes back from the room itself; what you write next gets a new key.',
    what_person:
      'Damaged is what this device noted about the identity of {person}: the key that it saw first, and whether you compared it.',
    lost_person:
      'Lost: that memory. The key that the server shows next is taken as the first one: compare it with {person} again.',
    stays_person: 'Stays: all messages. The keys of {person} come back from the server.',
    what_self: 'Damaged is what this device noted about your own identity.',
    lost_self:
      'Lost: the proof that it is yours. It comes back from the server with your passkey or your recovery key; you are asked for it next.',
    stays_self: 'Stays: rooms, messages, drafts, and what waits to be sent.',
    what_key: 'Damaged is one of the keys with which others begin to write to this device.',
    lost_key:
      'Lost: what came with this very key. Those messages may stay unreadable here, unless your key backup or another device of yours has their keys.',
    stays_key: 'Stays: everything else. New keys are made.',
    what_device:
      'Damaged are the keys of this device itself. Without them others do not recognise it, and it cannot read what comes.',
    lost_device:
      'Lost: this device as others know it. You sign in next, and it is a new device in your list. What came in the meantime is readable as far as your key backup or another device of yours has its keys.',
    stays_device:
      'Stays: the rooms and messages that are here, drafts, what waits to be sent, and the keys of older messages.',
    goOn: 'Go on without it',
    sure: 'This cannot be undone. What is damaged is put aside, unread.',
    yes: 'Give it up and go on',
  },
  day: {
    earlierMonth: 'Earlier month',
    laterMonth: 'Later month',
    earlierYear: 'A year earlier',
    laterYear: 'A year later',
    today: 'Today',
    keys: 'Arrow keys go by day and week, Page Up and Page Down by month, with Shift by year.',
    chosen: 'Chosen: {day}',
  },
}

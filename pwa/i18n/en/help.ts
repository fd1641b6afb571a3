import type { HelpTexts } from '../help.ts'

export const help: HelpTexts = {
  title: 'Help',
  contents: 'Contents',
  noSuchPage: 'There is no such page. Here is what there is.',
  articles: {
    install: {
      title: 'Install Letro',
      lead: 'Like an app: its own window, its own icon, and it opens without a connection.',
      blocks: [
        { heading: 'iPhone and iPad' },
        {
          steps: [
            'Open your organisation’s address in Safari.',
            'Tap Share, then Add to Home Screen.',
            'Open Letro from the home screen, and only then use your enrolment link: what you set up in Safari stays in Safari.',
          ],
        },
        { heading: 'Android' },
        { steps: ['Open the address in Chrome.', 'In the menu, choose Install app.'] },
        { heading: 'Computer' },
        {
          steps: [
            'In Chrome or Edge: the icon with a screen and an arrow in the address bar.',
            'In Safari on a Mac: File, then Add to Dock.',
            'In Firefox: keep the page as a pinned tab.',
          ],
        },
        'Updates come by themselves. Letro asks before it reloads, and never while you are writing.',
      ],
    },
    'new-phone': {
      title: 'A new phone or computer',
      lead: 'While you still have a device that is signed in, it takes a minute.',
      blocks: [
        {
          steps: [
            'On the device that you have: Settings, Devices, Link a new device.',
            'Confirm with your passkey. A code appears.',
            'Scan the code with the camera of the new device, and go on there.',
          ],
        },
        'Both devices then trust each other, and your earlier messages arrive on the new one.',
        { heading: 'Without another device' },
        'Open your organisation’s address on the new device and sign in with your passkey, if it is kept in your password manager or on a security key. Then enter the recovery key where Letro asks for it: it brings your earlier messages.',
        { heading: 'What to do with the old one' },
        'Sign out on it before you give it away. That wipes everything that Letro keeps there.',
      ],
    },
    'lost-phone': {
      title: 'A lost phone',
      lead: 'First sign it out, then look after your keys.',
      blocks: [
        {
          steps: [
            'On another device: Settings, Devices. Find the lost one and choose Sign out. It gets no new messages from then on, and wipes itself when it is next within reach.',
            'Settings, Passkeys: remove the passkey that was on it, if it was only there.',
            'Tell your administrators.',
          ],
        },
        'What Letro kept on the phone is sealed: whoever finds it needs your fingerprint, face, or PIN.',
        { heading: 'It was your only device' },
        {
          steps: [
            'Ask your administrators to sign it out, and for a new enrolment link.',
            'Enrol on the new device.',
            'Enter your recovery key: your identity and your messages come back.',
          ],
        },
        { heading: 'The recovery key is lost too' },
        'Then you start again with a new identity. Rooms and people come back. Messages whose keys are gone do not: nobody can open them, and that is what protects them. Everybody you write with is told that your identity has changed, and decides whether to accept it.',
      ],
    },
    administrators: {
      title: 'What administrators can see',
      lead: 'Not what you write. But that you write, and with whom.',
      blocks: [
        { heading: 'They cannot see' },
        {
          list: [
            'What is written in encrypted rooms, nor files, pictures, or voice messages in them.',
            'What you search for, and your drafts.',
            'Your keys: those that the server keeps are sealed.',
          ],
        },
        { heading: 'They can see' },
        {
          list: [
            'Who has an account, your name and picture, your devices and when they were last there.',
            'Which rooms there are, their names and topics, and who is in them.',
            'When somebody sends something, and how large it is; which message an answer or a reaction belongs to.',
            'What you have read; and when you are typing, unless you switched that off.',
            'Everything in rooms that are not encrypted. Letro says so in each of them.',
          ],
        },
        { heading: 'They can do' },
        {
          list: [
            'Lock or close your account, and sign out your devices.',
            'Make a new enrolment link for your account. Whoever uses it can write in your name, but reads nothing of before, and everybody you write with is told that the identity has changed.',
          ],
        },
        'The server also delivers this app. That nobody reads along holds as long as it delivers the app as it was released.',
        'What administrators do is written down in an audit log.',
      ],
    },
    verification: {
      title: 'Verification',
      lead: 'How you can be sure that somebody is who they say they are.',
      blocks: [
        'Letro remembers the identity of everybody you meet, and tells you should it change. Whoever sat in between from the very first moment would not be noticed by that. Verification closes this gap.',
        {
          steps: [
            'Meet, or call each other.',
            'Open the person (their name, in the room) and choose Verify.',
            'They accept. Scan the code on their screen, or have them scan yours.',
            'No camera? Compare seven pictures. They have to be the same, in the same order.',
          ],
        },
        'That takes a minute, and you do it once. Your other devices know of it.',
        { heading: 'When an identity changes' },
        'Usually somebody has lost all devices and started again. It could also be somebody who pretends to be them. Therefore nothing is sent before you decide. Ask by another way, and verify again; accept without comparing only if you have another reason to be sure.',
        { heading: 'Your own devices' },
        'A new device of yours has to be confirmed by one that you have, by your passkey, or by the recovery key. Until then nobody sends it keys: a server cannot slip in a device of its own.',
      ],
    },
    marks: {
      title: 'Marks on messages',
      lead: 'No mark: everything is as it should be.',
      blocks: [
        { heading: 'The identity changed' },
        'The sender has another identity than the one that you know, and you have not decided about it yet.',
        { heading: 'Sent from a device that is not confirmed' },
        'The account is right, but its owner has not confirmed the device. It may be new; or somebody got into the account. Ask.',
        { heading: 'Sent from a device that is not known' },
        'The device is not in the sender’s list any more. Often it was signed out since.',
        { heading: 'The key did not come from the sender’s device' },
        'It came from a backup, a file, or another person. The message is intact; that it comes from this sender is not proved by cryptography. After recovery all older messages have this mark.',
        { heading: 'Cannot be read' },
        'The key for it has not arrived. Often it comes when the sender’s device or another one of yours is within reach. If it was sent before you joined, it was not meant for you to read.',
      ],
    },
    offline: {
      title: 'Without a connection',
      lead: 'Letro opens, reads, searches, and writes.',
      blocks: [
        'Messages that you write wait on this device, sealed: they are queued. They leave by themselves when the server is back, in order and once, even if you closed the browser in between.',
        {
          list: [
            'Queued: it waits on this device.',
            'Sent: the server has it.',
            'Read: somebody has seen it.',
          ],
        },
        'Browsers may delete what they store when space runs out. Settings, Privacy and lock: ask the browser to keep it. Installing Letro helps.',
      ],
    },
    'sign-out': {
      title: 'Signing out',
      lead: 'It deletes everything that Letro keeps on this device.',
      blocks: [
        'Messages that still wait are lost: Letro says how many there are.',
        'To read your messages after signing in again you need another device, a passkey that opens your keys, or the recovery key. If this is your only device, make sure that you have the recovery key: Settings, Recovery, Do I still have it?',
        'If you only want to keep others from looking: lock. Settings, Privacy and lock, Lock now.',
        { heading: 'On a shared computer' },
        'Say when you sign in that it is a shared computer. Then nothing is kept: it is all gone when the last tab is closed.',
      ],
    },
    shortcuts: {
      title: 'Keyboard shortcuts',
      lead: 'Everything in Letro can be reached by keyboard.',
      blocks: [
        {
          keys: [
            ['Ctrl K', 'Go to a room, a person, a word (on a Mac: ⌘ K)'],
            ['Alt ↓', 'Next unread room'],
            ['Alt ↑', 'Previous unread room'],
            ['Alt Shift ↓', 'Next room of the list'],
            ['Alt Shift ↑', 'Previous room of the list'],
            ['↑ ↓', 'Move in a list'],
            ['Enter', 'Open; send what is written'],
            ['Shift Enter', 'New line'],
            ['↑', 'In an empty composer: edit your last message'],
            ['Escape', 'Close, cancel, go back'],
            ['?', 'These shortcuts'],
            ['Tab', 'To the next place'],
          ],
        },
        'Settings, Appearance and language: whether Enter sends.',
      ],
    },
  },
}

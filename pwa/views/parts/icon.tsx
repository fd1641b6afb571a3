/** Our few signs, drawn on a grid of 20 with one line weight. `flip`: it points, and turns round where text does. */
const paths = {
  close: 'M5 5l10 10M15 5L5 15',
  back: 'M12.5 4.5L7 10l5.5 5.5',
  forward: 'M7.5 4.5L13 10l-5.5 5.5',
  down: 'M4.5 7.5L10 13l5.5-5.5',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  plus: 'M10 4v12M4 10h12',
  search: 'M8.75 14.5a5.75 5.75 0 1 0 0-11.5 5.75 5.75 0 0 0 0 11.5zM13 13l4 4',
  attach: 'M14.5 9.5l-5 5a3.2 3.2 0 0 1-4.5-4.5l6-6a2.1 2.1 0 0 1 3 3l-6 6a1 1 0 0 1-1.5-1.5l5.2-5.2',
  microphone:
    'M10 12a2.5 2.5 0 0 0 2.5-2.5v-4a2.5 2.5 0 0 0-5 0v4A2.5 2.5 0 0 0 10 12zM5 9.5a5 5 0 0 0 10 0M10 14.5V17',
  smile: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM7 11.5c.7 1.3 1.7 2 3 2s2.3-.7 3-2M7.5 8h.01M12.5 8h.01',
  reply: 'M8 5L4 9l4 4M4.5 9H12a4 4 0 0 1 4 4v2',
  thread: 'M4 5h12M4 9h8M7 9v3a3 3 0 0 0 3 3h6',
  edit: 'M4 16l.7-3L13 4.700l2.3 2.300L7 15.300z',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.600L14 6',
  pin: 'M10 12.500V17M6.5 12.500h7L12 8V3.500H8V8z',
  people:
    'M7.5 9.500a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.500zM2.5 16c.4-2.7 2.2-4 5-4s4.6 1.3 5 4M13 9.300a2.5 2.5 0 0 0 0-5M14.5 12.300c1.7.4 2.7 1.6 3 3.7',
  shield: 'M10 2.500l6 2v5c0 4-2.5 6.5-6 8-3.5-1.5-6-4-6-8v-5z',
  check: 'M4.5 10.500l3.5 3.5 7.5-8',
  warning: 'M10 3l7.5 13.500h-15zM10 8v4M10 14.500h.01',
  lock: 'M5 9h10v7.500H5zM7 9V6.500a3 3 0 0 1 6 0V9',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1.5 1.500h-13zM8.5 17.500h3',
  mute: 'M5 14V9a5 5 0 0 1 8-4M15 9v5l1.5 1.500h-10M3.5 3.500l13 13',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4',
  help: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM8 8a2 2 0 1 1 2.7 1.900c-.5.2-.7.6-.7 1.100v.5M10 13.800h.01',
  send: 'M3.5 10L16.5 4l-4 12-2.5-5z',
  download: 'M10 3v9M6 8.500l4 4 4-4M4 16.500h12',
  pause: 'M7 4.500v11M13 4.500v11',
  play: 'M6 4l10 6-10 6z',
  star: 'M10 3l2.1 4.5 4.9.6-3.6 3.4.9 4.900L10 14l-4.3 2.4.9-4.900L3 8.100l4.9-.6z',
  link: 'M8.5 11.500l3-3M9 6l1.5-1.500a3.2 3.2 0 0 1 4.5 4.500L13.5 10.500M11 14l-1.5 1.500A3.2 3.2 0 0 1 5 11l1.5-1.5',
  calendar: 'M4 5.500h12V16H4zM4 9h12M7.5 3.500v3.500M12.5 3.500v3.5',
  image: 'M3.5 4.500h13v11h-13zM3.5 13l4-4 4 4 2-2 3 3M13 8h.01',
  file: 'M5.5 2.500h6l3.5 3.500v11.500H5.500zM11.5 2.500V6H15',
  sign_out: 'M12 6V3.500H4v13h8V14M8 10h9M14 7l3 3-3 3',
} as const

export type IconName = keyof typeof paths
const pointing: ReadonlySet<IconName> = new Set<IconName>([
  'back',
  'forward',
  'reply',
  'thread',
  'send',
  'sign_out',
])

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class={pointing.has(name) ? 'icon points' : 'icon'}
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  )
}

/**
 * Message HTML made safe: a short list of tags, no styles, no pictures, no address that is not for people. Needs a document.
 *
 * Spec: client-server-api#mroommessage-msgtypes (the list of tags and attributes). Deviation: colours and pictures are left out:
 * colours break contrast, pictures would be fetched. Links to people are pills, with the name that the room knows.
 */
import DOMPurify from 'dompurify'
import { plainName } from '../parts/plain-name.ts'
import { isSafeAddress, misledHost } from './link-text.ts'
import { addressInside, parseMatrixLink } from './matrix-link.ts'

const tags =
  'del h1 h2 h3 h4 h5 h6 blockquote p a ul ol sup sub li b i u strong em s code hr br div table thead tbody tr th td caption pre span details summary'
const attributes = ['href', 'start', 'class', 'data-mx-spoiler', 'data-mx-maths']

export interface HtmlSurroundings {
  /** What the room calls somebody; null: not here. */
  readonly nameOf: (userId: string) => string | null
  readonly ourUserId: string
  readonly spoilerLabel: string
}

const purify = DOMPurify()
let surroundings: HtmlSurroundings = { nameOf: () => null, ourUserId: '', spoilerLabel: '' }

purify.addHook('uponSanitizeElement', (node, data) => {
  // A picture says at least what it would have shown.
  if (data.tagName === 'img' && node instanceof Element)
    node.replaceWith(document.createTextNode(plainName(node.getAttribute('alt')) ?? ''))
})
purify.addHook('afterSanitizeAttributes', node => {
  if (node.tagName === 'A') mendLink(node)
  else if (node.hasAttribute('data-mx-spoiler')) hide(node)
  else if (node.tagName !== 'CODE' || !/^language-[\w+#-]{1,30}$/.test(node.className))
    node.removeAttribute('class')
})

/** What may go into `dangerouslySetInnerHTML`; a `TrustedHTML` where the browser has such. */
export function safeHtml(html: string, around: HtmlSurroundings): string {
  surroundings = around
  return purify.sanitize(html, {
    ALLOWED_TAGS: tags.split(' '),
    ALLOWED_ATTR: attributes,
    ALLOW_DATA_ATTR: false,
    ADD_URI_SAFE_ATTR: attributes.filter(name => name !== 'href'),
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?|mailto|matrix):/i,
    RETURN_TRUSTED_TYPE: true,
  }) as unknown as string
}

function mendLink(link: Element): void {
  link.removeAttribute('class')
  const href = link.getAttribute('href') ?? ''
  const target = parseMatrixLink(href, location.origin)
  if (target?.kind === 'person') {
    const name = plainName(surroundings.nameOf(target.userId)) ?? saidName(link, href) ?? target.userId
    link.setAttribute('href', addressInside(target))
    link.className = target.userId === surroundings.ourUserId ? 'pill ours' : 'pill'
    link.setAttribute('title', target.userId)
    link.textContent = name
    // A name says nothing of the direction of the sentence around it.
    link.setAttribute('dir', 'auto')
  } else if (target) {
    link.setAttribute('href', addressInside(target))
  } else if (isSafeAddress(href)) {
    link.setAttribute('target', '_blank')
    link.setAttribute('rel', 'noreferrer noopener')
    link.setAttribute('title', href)
    const host = misledHost(link.textContent ?? '', href)
    if (host !== null) link.append(document.createTextNode(` (${host})`))
  } else link.removeAttribute('href')
}

/** The words of a link; null where they are only its address. */
function saidName(link: Element, href: string): string | null {
  return link.textContent === href ? null : plainName(link.textContent)
}

function hide(spoiler: Element): void {
  spoiler.className = 'spoiler'
  spoiler.setAttribute('role', 'button')
  spoiler.setAttribute('tabindex', '0')
  spoiler.setAttribute('aria-label', surroundings.spoilerLabel)
}

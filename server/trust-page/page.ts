/** The trust page as HTML: a function of what it is about, in one language. Nothing in it comes from whoever asks. */
import { hash } from 'node:crypto'
import { style } from './style.ts'
import { type Language, languages, type PlatformId, platformIds, texts } from './texts.ts'

export interface TrustSite {
  /** The https URL that people open. */
  readonly origin: string
  /** null: nothing to install, the certificate comes from elsewhere. */
  readonly authority: TrustAuthority | null
}

export interface TrustAuthority {
  readonly der: Uint8Array
  /** SHA-256 over it, 64 hexadecimal digits. */
  readonly fingerprint: string
  readonly words: readonly string[]
}

export interface Asked {
  readonly language: Language
  /** The device that asks, as far as it says so: its steps stand open. */
  readonly platform: PlatformId | null
  /** By an IP address, and not by the name that counts. */
  readonly byNumber: boolean
}

/** Can the server be reached without a warning? The only thing that this script does. */
const script = `
const test=document.getElementById('test'),words=test.querySelector('p'),again=document.getElementById('again')
async function look(){
  test.dataset.state='';words.textContent=test.dataset.testing;again.hidden=true
  let good=true
  try{await fetch(test.dataset.url,{mode:'no-cors',cache:'no-store',credentials:'omit'})}catch{good=false}
  test.dataset.state=good?'good':'not';words.textContent=good?test.dataset.good:test.dataset.not;again.hidden=good
}
again.onclick=look
look()
`

export function contentPolicy({ origin }: TrustSite): string {
  const of = (text: string) => `'sha256-${hash('sha256', text, 'base64')}'`
  return [
    "default-src 'none'",
    `script-src ${of(script)}`,
    `style-src ${of(style)}`,
    "font-src 'self'",
    `connect-src ${origin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

export function trustPage(site: TrustSite, { language, platform, byNumber }: Asked): string {
  const t = texts[language]
  const { hostname } = new URL(site.origin)
  const title = escaped(t.title(hostname))
  const byName = `http://${escaped(hostname)}/`
  return `<!doctype html>
<html lang="${language}" dir="${t.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header>
<span class="mark" lang="en">Letro · <bdi>${escaped(hostname)}</bdi></span>
<nav aria-label="${languages.map(each => texts[each].language).join(', ')}">${languages
    .map(each => {
      const current = each === language ? ' aria-current="true"' : ''
      return `<a href="/?lang=${each}" lang="${each}" hreflang="${each}"${current}>${texts[each].language}</a>`
    })
    .join('\n')}</nav>
</header>
<main>
<h1>${title}</h1>
<p>${escaped(site.authority ? t.lead(hostname) : t.nothingToDo(hostname))}</p>
${byNumber ? `<p class="notice">${escaped(t.openByName)} <a href="${byName}" dir="ltr">${byName}</a></p>` : ''}
${testOf(site, language)}
${site.authority ? installing(site.authority, hostname, language, platform) : ''}
</main>
<script>${script}</script>
</body>
</html>
`
}

function testOf({ origin }: TrustSite, language: Language): string {
  const t = texts[language]
  const host = new URL(origin).hostname
  return `<div id="test" class="notice" aria-live="polite" data-url="${escaped(origin)}/_letro/health" data-testing="${escaped(t.testing)}" data-good="${escaped(t.trusted(host))}" data-not="${escaped(t.notTrusted)}">
<p>${escaped(t.noScript)}</p>
<button id="again" type="button" class="button plain" hidden>${escaped(t.again)}</button>
<a class="button open" href="${escaped(origin)}/">${escaped(t.open)}</a>
</div>`
}

function installing(
  { fingerprint, words }: TrustAuthority,
  host: string,
  language: Language,
  open: PlatformId | null,
): string {
  const t = texts[language]
  const groups = fingerprint.match(/.{4}/g) ?? []
  return `<h2>${escaped(t.compareTitle)}</h2>
<p>${escaped(t.compare)}</p>
<div class="print" lang="en">${groups.map(group => `<span>${group}</span>`).join('')}</div>
<p class="quiet">${escaped(t.inWords)}</p>
<ol class="words" lang="en">${words.map(word => `<li>${escaped(word)}</li>`).join('')}</ol>
<h2>${escaped(t.stepsTitle)}</h2>
${platformIds
  .map(id => {
    const { name, file, steps } = t.platforms[id]
    return `<details name="platform"${id === open ? ' open' : ''}>
<summary>${escaped(name)}</summary>
<ol class="steps">${steps.map(step => `<li>${emphasised(step)}</li>`).join('')}</ol>
<a class="button" href="/authority.${file}" download>${escaped(t.download)}</a> <span class="quiet">${escaped(t.testAfterwards)}</span>
</details>`
  })
  .join('\n')}
<p class="quiet">${escaped(t.limits(host))}</p>`
}

/** What stands on the device's screen, in the language of the device. */
function emphasised(step: string): string {
  return escaped(step)
    .replaceAll('‹', '<b>')
    .replaceAll('›', '</b>')
    .replaceAll('</b> </b> <b>', '</b> › <b>')
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

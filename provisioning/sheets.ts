/**
 * Enrolment sheets: one A4 page a person, as one HTML file that prints the same everywhere: fonts and codes are in it, and it asks
 * nothing of any network. It holds keys to accounts: 0600, and a page a person.
 */
import { open, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import qrcode from 'qrcode'
import { CommandFailed } from './command-failed.ts'
import type { Invited, SiteFacts } from './enrol-server.ts'
import { exitCodes } from './exit-codes.ts'
import { sheetStyle } from './sheet-style.ts'
import { type SheetLanguage, sheetTexts } from './sheet-texts.ts'

export interface SheetOptions {
  readonly site: Pick<SiteFacts, 'origin' | 'trustPage' | 'authority'>
  /** Whom to ask; null: nobody is named. */
  readonly contact: string | null
  /** Of those whose language is not known. */
  readonly language: SheetLanguage
}

/** Page by page, so that a thousand people need no more memory than one. A file that is there is not overwritten. */
export async function writeSheets(
  file: string,
  options: SheetOptions,
  people: readonly Invited[],
): Promise<void> {
  const fonts = await fontFaces()
  try {
    const out = await open(file, 'wx', 0o600)
    try {
      const head = `<meta charset="utf-8">\n<title>Letro</title>\n<style>${fonts}${sheetStyle}</style>`
      await out.write(`<!doctype html>\n<html lang="${options.language}">\n${head}\n`)
      for (const person of people) await out.write(await sheet(options, person))
      await out.sync()
    } finally {
      await out.close()
    }
  } catch (error) {
    throw new CommandFailed(
      `${whyNot(file, error)} The links were made: see letro enrol open, and make new ones with --again.`,
      exitCodes.impossible,
    )
  }
}

/** Before anybody gets a link: a file can be made there. */
export async function mustTakeSheets(file: string | undefined): Promise<void> {
  if (file === undefined) return
  try {
    await (await open(file, 'wx', 0o600)).close()
    await rm(file)
  } catch (error) {
    throw new CommandFailed(`${whyNot(file, error)} Nothing was changed.`, exitCodes.impossible)
  }
}

function whyNot(file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
  return code === 'EEXIST' ? `${file} is there already.` : `${file} cannot be written (${code}).`
}

export async function sheet({ site, contact, language }: SheetOptions, person: Invited): Promise<string> {
  const spoken = person.language ?? language
  const t = sheetTexts[spoken]
  const { hostname } = new URL(site.origin)
  const until = new Intl.DateTimeFormat(t.locale, { dateStyle: 'full', timeStyle: 'short' })
  const steps = [
    ...(site.authority && site.trustPage ? [await trustStep(t, site.trustPage, site.authority)] : []),
    await openStep(t, site.origin, person),
    `<section><h2>${escaped(t.passkeyTitle)}</h2><p>${escaped(t.passkey)}</p></section>`,
  ]
  return `<article lang="${spoken}" dir="${t.direction}">
<header><span class="mark" lang="en">Letro</span><bdi>${escaped(hostname)}</bdi></header>
<h1>${escaped(t.title)}</h1>
<p class="who"><bdi>${escaped(person.displayName ?? person.userId)}</bdi> <bdi class="id">${escaped(person.userId)}</bdi></p>
<p class="lead">${escaped(t.lead(hostname))}</p>
${steps.join('\n')}
<footer>
<p><b>${escaped(t.until)} <bdi>${escaped(until.format(person.expiresTs))}</bdi>.</b> ${escaped(t.secret)}</p>
${contact === null ? '' : `<p>${escaped(t.help)} <bdi>${escaped(contact)}</bdi></p>`}
</footer>
</article>
`
}

type Texts = (typeof sheetTexts)[SheetLanguage]

async function trustStep(
  t: Texts,
  trustPage: string,
  { fingerprint, words }: NonNullable<SiteFacts['authority']>,
): Promise<string> {
  return `<section class="with-code">
<div><h2>${escaped(t.trustTitle)}</h2>
<p>${escaped(t.trust)} <bdi class="address">${escaped(trustPage)}</bdi></p>
<p>${escaped(t.compare)}</p>
<p class="print">${(fingerprint.match(/.{4}/g) ?? []).map(group => `<span>${group}</span>`).join('')}</p>
<p class="words">${words.map(word => `<span>${escaped(word)}</span>`).join('')}</p></div>
${await code(trustPage)}
</section>`
}

async function openStep(t: Texts, origin: string, { link, code: typed }: Invited): Promise<string> {
  const byHand =
    typed === undefined
      ? ''
      : `<p>${escaped(t.orType)} <bdi class="address">${escaped(origin)}</bdi></p>
<p class="code"><span>${escaped(t.code)}</span> <bdi>${escaped(typed)}</bdi></p>`
  return `<section class="with-code">
<div><h2>${escaped(t.openTitle)}</h2>
<p>${escaped(t.scan)}</p>
${byHand}
<p class="quiet">${escaped(t.iphone)}</p></div>
${await code(link)}
</section>`
}

function code(text: string): Promise<string> {
  return qrcode.toString(text, { type: 'svg', errorCorrectionLevel: 'M', margin: 0 })
}

async function fontFaces(): Promise<string> {
  const { resolve } = createRequire(import.meta.url)
  const face = async (family: string, weight: number, file: string) => {
    const bytes = await readFile(resolve(`@fontsource/${file}-${weight}-normal.woff2`))
    return `@font-face{font-family:"${family}";font-weight:${weight};src:url(data:font/woff2;base64,${bytes.toString('base64')})}`
  }
  const faces = await Promise.all([
    face('Plex', 400, 'ibm-plex-sans/files/ibm-plex-sans-latin'),
    face('Plex', 600, 'ibm-plex-sans/files/ibm-plex-sans-latin'),
    face('Plex Arabic', 400, 'ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-arabic'),
    face('Plex Arabic', 600, 'ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-arabic'),
    face('Plex Mono', 400, 'ibm-plex-mono/files/ibm-plex-mono-latin'),
  ])
  return faces.join('')
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}

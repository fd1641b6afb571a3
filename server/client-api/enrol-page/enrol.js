/**
 * The plain enrolment page: makes a passkey from a link, or signs in with one to look after one's passkeys.
 *
 * The link's secret comes from the fragment, which no server sees, and is taken out of the address bar at once. The
 * session lives in this page's memory alone and ends with it.
 */
import { languages, words } from './words.js'

const main = document.getElementById('main')
const secret = location.hash.slice(1)
if (secret) history.replaceState(null, '', location.pathname)

let language = preferredLanguage()
let token = null
/** Draws the present state again: for a change of language. */
let draw = () => {}

// ── words ────────────────────────────────────────────────────────────────────────────────────────────

function preferredLanguage() {
  for (const wanted of navigator.languages) {
    const base = wanted.toLowerCase().split('-')[0]
    if (base in languages) return base
  }
  return 'en'
}

function say(key, values = {}) {
  return words[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name])
}

function setLanguage(next) {
  language = next
  document.documentElement.lang = next
  document.documentElement.dir = next === 'ar' ? 'rtl' : 'ltr'
  document.getElementById('language-label').textContent = say('language')
  draw()
}

function date(ts, time = false) {
  return new Intl.DateTimeFormat(language, {
    dateStyle: 'long',
    ...(time ? { timeStyle: 'short' } : {}),
  }).format(ts)
}

// ── elements ─────────────────────────────────────────────────────────────────────────────────────────

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value)
    else if (value === true) made.setAttribute(key, '')
    else if (value !== false && value !== undefined) made.setAttribute(key, value)
  }
  made.append(...children.filter(child => child !== null))
  return made
}

const row = (label, ...content) =>
  element('div', { class: 'row' }, element('div', {}, label), element('div', {}, ...content))

const head = (title, lead) =>
  element(
    'div',
    { class: 'head' },
    element('h1', { tabindex: '-1' }, title),
    element('p', { class: 'lead' }, lead),
  )

function show(...parts) {
  main.replaceChildren(...parts.filter(part => part !== null))
  document.title = `${main.querySelector('h1')?.textContent ?? ''} · letro`
}

const trouble = text => (text ? element('p', { class: 'trouble', role: 'alert' }, text) : null)

/** Runs what a button does, once at a time. */
function act(work) {
  return async event => {
    const buttons = main.querySelectorAll('button')
    for (const button of buttons) button.disabled = true
    try {
      await work(event)
    } finally {
      for (const button of buttons) button.disabled = button.dataset.fixed === 'true'
    }
  }
}

// ── the server ───────────────────────────────────────────────────────────────────────────────────────

class Refused extends Error {
  constructor(status, body) {
    super(body.error ?? String(status))
    this.status = status
    this.body = body
  }
}

async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const json = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Refused(answer.status, json)
  return json
}

/** Asks, and confirms with a passkey where the server wants to know that it is really you. */
async function askConfirmed(method, path, body = {}) {
  try {
    return await ask(method, path, body)
  } catch (error) {
    const stage = 'org.letro.login.passkey'
    if (error.status !== 401 || !error.body.params?.[stage]) throw error
    const assertion = await getPasskey(error.body.params[stage].options)
    return await ask(method, path, { ...body, auth: { type: stage, session: error.body.session, assertion } })
  }
}

function explain(error) {
  if (error instanceof Refused) {
    if (error.status === 429) return say('tooMany')
    const reason = error.body['org.letro.reason']
    if (reason && words.en[reason]) return say(reason)
    return say('refused', { error: error.message })
  }
  if (error instanceof DOMException) return say(error.name === 'InvalidStateError' ? 'twice' : 'cancelled')
  return say('offline')
}

// ── passkeys ─────────────────────────────────────────────────────────────────────────────────────────

function bytes(text) {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/')
  return Uint8Array.from(atob(padded), char => char.charCodeAt(0))
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const descriptors = list => (list ?? []).map(item => ({ ...item, id: bytes(item.id) }))

async function createPasskey(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: descriptors(options.excludeCredentials),
    },
  })
  const { response } = credential
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  }
}

async function getPasskey(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: descriptors(options.allowCredentials),
    },
  })
  const { response } = credential
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      ...(response.userHandle?.byteLength ? { userHandle: text(response.userHandle) } : {}),
    },
  }
}

/** "Chrome, Windows": enough to know it again. */
function suggestedName() {
  const agent = navigator.userAgent
  const systems = [
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/Mac OS X/, 'Mac'],
    [/Windows/, 'Windows'],
    [/CrOS/, 'Chromebook'],
    [/Linux/, 'Linux'],
  ]
  const browsers = [
    [/Firefox|FxiOS/, 'Firefox'],
    [/Edg/, 'Edge'],
    [/Chrome|CriOS/, 'Chrome'],
    [/Safari/, 'Safari'],
  ]
  const found = list => list.find(([pattern]) => pattern.test(agent))?.[1]
  return [found(browsers), found(systems)].filter(Boolean).join(', ') || 'Passkey'
}

// ── what is shown ────────────────────────────────────────────────────────────────────────────────────

function showTrouble(error, retry) {
  draw = () =>
    show(
      element('div', { class: 'head' }, element('h1', { tabindex: '-1' }, say('trouble'))),
      trouble(explain(error)),
      retry
        ? element(
            'div',
            { class: 'foot' },
            element('button', { class: 'main-button', type: 'button', onclick: act(retry) }, say('again')),
          )
        : null,
    )
  draw()
}

async function openLink() {
  let begun
  try {
    begun = await ask('POST', '/_letro/client/v1/enrolment/begin', { secret })
  } catch (error) {
    // A refused link stays refused; anything else may pass.
    return showTrouble(error, error instanceof Refused && error.status === 403 ? null : openLink)
  }
  let message = ''
  let name = suggestedName()

  const create = async () => {
    try {
      // A fresh challenge for each attempt: the first one may have been used or run out.
      begun = await ask('POST', '/_letro/client/v1/enrolment/begin', { secret })
      const attestation = await createPasskey(begun.options)
      const session = await ask('POST', '/_letro/client/v1/enrolment/complete', {
        secret,
        attestation,
        name: name.trim() || 'Passkey',
        initial_device_display_name: `${suggestedName()} · enrolment`,
      })
      token = session.access_token
      await showPasskeys('ready', begun.user_id)
    } catch (error) {
      message = explain(error)
      drawLink()
    }
  }

  const drawLink = () => {
    const replaces = begun.purpose === 're-enrol' || begun.purpose === 'recover'
    const role = begun.kind === 'member' ? null : row(say('role'), say(begun.kind))
    show(
      head(say(replaces ? 'replaceTitle' : 'enrolTitle'), say('enrolLead')),
      replaces ? element('p', { class: 'note' }, say('replaceNote')) : null,
      element(
        'div',
        { class: 'ledger' },
        row(
          say('person'),
          begun.display_name ? element('b', {}, element('bdi', {}, begun.display_name)) : null,
          element('div', {}, element('bdi', { class: 'mono', dir: 'ltr' }, begun.user_id)),
        ),
        row(say('server'), element('bdi', { dir: 'ltr' }, begun.server_name)),
        role ?? '',
        row(say('valid'), date(begun.expires_ts, true)),
        row(
          element('label', { for: 'name' }, say('keyName')),
          element('input', {
            id: 'name',
            maxlength: '100',
            autocomplete: 'off',
            value: name,
            oninput: event => {
              name = event.target.value
            },
          }),
          element('small', {}, say('keyNameHelp')),
        ),
      ),
      trouble(message),
      element(
        'div',
        { class: 'foot' },
        element(
          'button',
          { class: 'main-button', type: 'button', id: 'create', onclick: act(create) },
          say('create'),
        ),
        element('p', {}, say('createHelp')),
      ),
    )
  }
  draw = drawLink
  draw()
}

function showSignIn(message = '') {
  const signIn = async () => {
    try {
      const { options } = await ask('POST', '/_letro/client/v1/passkey/challenge', {})
      const assertion = await getPasskey(options)
      const session = await ask('POST', '/_matrix/client/v3/login', {
        type: 'org.letro.login.passkey',
        assertion,
        initial_device_display_name: `${suggestedName()} · passkeys`,
      })
      token = session.access_token
      await showPasskeys('manage', session.user_id)
    } catch (error) {
      showSignIn(error)
    }
  }
  draw = () =>
    show(
      head(say('signInTitle'), say('signInLead')),
      trouble(message && explain(message)),
      element(
        'div',
        { class: 'foot' },
        element(
          'button',
          { class: 'main-button', type: 'button', id: 'sign-in', onclick: act(signIn) },
          say('signIn'),
        ),
        element('p', {}, say('signInHelp')),
      ),
    )
  draw()
}

async function showPasskeys(title, userId) {
  let passkeys = []
  let failure = null
  let renaming = null

  const load = async () => {
    passkeys = (await ask('GET', '/_letro/client/v1/passkeys')).passkeys
  }
  const attempt = work =>
    act(async () => {
      failure = null
      try {
        await work()
        await load()
      } catch (error) {
        failure = error
      }
      draw()
    })
  const add = attempt(async () => {
    const { options } = await askConfirmed('POST', '/_letro/client/v1/passkeys/begin')
    const attestation = await createPasskey(options)
    await ask('POST', '/_letro/client/v1/passkeys/complete', { attestation, name: suggestedName() })
    title = 'manage'
  })
  const remove = passkey => attempt(() => askConfirmed('DELETE', `/_letro/client/v1/passkeys/${passkey.id}`))
  const rename = passkey =>
    attempt(async () => {
      const name = document.getElementById('new-name').value
      await ask('PUT', `/_letro/client/v1/passkeys/${passkey.id}`, { name })
      renaming = null
    })

  const keyRow = passkey => {
    if (renaming === passkey.id) {
      return element(
        'div',
        {},
        element('input', {
          id: 'new-name',
          maxlength: '100',
          autocomplete: 'off',
          'aria-label': say('keyName'),
          value: passkey.name,
        }),
        element(
          'div',
          { class: 'acts' },
          element('button', { class: 'quiet', type: 'button', onclick: rename(passkey) }, say('save')),
          element(
            'button',
            {
              class: 'quiet',
              type: 'button',
              onclick: () => {
                renaming = null
                draw()
              },
            },
            say('cancel'),
          ),
        ),
      )
    }
    const facts = [say('made', { date: date(passkey.created_ts) })]
    if (passkey.last_used_ts) facts.push(say('used', { date: date(passkey.last_used_ts) }))
    facts.push(say(passkey.backed_up ? 'synced' : 'single'))
    return element(
      'div',
      { class: 'key', 'data-passkey': passkey.id },
      element(
        'div',
        {},
        element('b', {}, element('bdi', {}, passkey.name)),
        element('small', {}, facts.join(' · ')),
      ),
      element(
        'div',
        { class: 'acts' },
        element(
          'button',
          {
            class: 'quiet rename',
            type: 'button',
            onclick: () => {
              renaming = passkey.id
              draw()
              document.getElementById('new-name').select()
            },
          },
          say('rename'),
        ),
        passkeys.length > 1
          ? element(
              'button',
              { class: 'quiet remove', type: 'button', onclick: remove(passkey) },
              say('remove'),
            )
          : null,
      ),
    )
  }

  await load()
  draw = () =>
    show(
      head(
        say(title === 'ready' ? 'readyTitle' : 'manageTitle'),
        say(title === 'ready' ? 'readyLead' : 'manageLead'),
      ),
      element(
        'div',
        { class: 'ledger' },
        row(say('person'), element('bdi', { class: 'mono', dir: 'ltr' }, userId)),
        ...passkeys.map((passkey, i) => row(i === 0 ? say('keys') : '', keyRow(passkey))),
      ),
      trouble(failure && explain(failure)),
      element(
        'div',
        { class: 'foot' },
        element('button', { class: 'main-button', type: 'button', id: 'add', onclick: add }, say('add')),
        element('button', { class: 'quiet', type: 'button', id: 'done', onclick: act(signOut) }, say('done')),
        passkeys.length === 1 ? element('p', {}, say('lastKey')) : null,
      ),
    )
  draw()
}

async function signOut() {
  await ask('POST', '/_matrix/client/v3/logout').catch(() => {})
  token = null
  draw = () => show(head(say('gone'), say('goneLead')))
  draw()
}

// The session must not outlive the page.
addEventListener('pagehide', () => {
  if (!token) return
  fetch('/_matrix/client/v3/logout', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    keepalive: true,
  })
})

const choice = document.getElementById('language')
for (const [code, name] of Object.entries(languages))
  choice.append(element('option', { value: code, lang: code, selected: code === language }, name))
choice.addEventListener('change', () => setLanguage(choice.value))

draw = () => show(element('div', { class: 'head' }, element('p', { class: 'lead' }, say('wait'))))
setLanguage(language)
if (!window.PublicKeyCredential) show(trouble(say('unsupported')))
else if (secret) openLink()
else showSignIn()

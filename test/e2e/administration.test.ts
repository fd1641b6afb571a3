/** What administrators do in the app, from the invitation to the end of an account: each grave act with a passkey. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import test from 'ava'
import { siteOf } from '../peers/site.ts'
import { call } from '../support/client.ts'
import type { Visitor } from '../support/visitor.ts'
import { api, Clinic, goTo, idOf, inPath } from './administered-clinic.ts'
import { finish } from './app.ts'

let clinic: Clinic
let root: Visitor
let backups: string
test.before(async () => {
  backups = mkdtempSync(join(tmpdir(), 'letro-backups-'))
  clinic = await Clinic.open({ 'backup.folder': backups })
  root = await clinic.administrator('root', 'Rana Haddad')
})
test.after.always(async () => {
  await clinic?.close()
  rmSync(backups, { recursive: true, force: true })
})

const rowOf = (who: Visitor, text: string) => who.page.locator('.admin-rows li').filter({ hasText: text })
const dialog = (who: Visitor) => who.page.locator('dialog[open]')
/** An act of the page, and then that of its dialog, which has the same name. */
async function doAct(who: Visitor, name: string): Promise<void> {
  await who.page.getByRole('button', { name, exact: true }).click()
  await dialog(who).getByRole('button', { name, exact: true }).click()
}

test.serial('somebody is invited by link and code, comes in, and is found', async t => {
  const { page } = root
  // What the server tells her may lead there, too.
  await page.locator('nav.list .icon-button[aria-label=Administration]').click()
  await page.getByRole('link', { name: 'People', exact: true }).click()
  await page.getByRole('button', { name: 'Invite somebody' }).click()
  await dialog(root).getByLabel('Address').fill('Amal')
  await dialog(root).getByText('Small letters, digits').waitFor()
  t.true(await dialog(root).getByRole('button', { name: 'Make the link' }).isDisabled())
  await dialog(root).getByLabel('Address').fill('amal')
  await dialog(root).getByLabel('Name', { exact: true }).fill('Amal Nasser')
  await dialog(root).getByRole('button', { name: 'Make the link' }).click()
  await dialog(root).locator('.qr-code svg').waitFor()
  t.regex(await dialog(root).locator('.admin-code code').innerText(), /^(?:[0-9A-Z]{4}-){2}[0-9A-Z]{4}$/)
  await root.context.grantPermissions(['clipboard-write'])
  // Pages may write to the clipboard, and not read it: what is written is caught.
  await page.evaluate(
    `navigator.clipboard.writeText = (write => text => { globalThis.written = text; return write.call(navigator.clipboard, text) })(navigator.clipboard.writeText)`,
  )
  await dialog(root).getByRole('button', { name: 'Copy the link' }).click()
  await page.getByText('Copied').waitFor()
  const link = (await page.evaluate('globalThis.written')) as string
  await dialog(root).getByRole('button', { name: 'Done' }).click()
  await page.getByText('Open links').click()
  await page.locator('.admin-links').getByText('@amal:localhost').waitFor()

  const amal = await clinic.world.visitor()
  await amal.page.goto(link)
  await amal.page.locator('button[type=submit].main').click()
  await amal.page.locator('.enter-key').waitFor()
  await amal.page.locator('.enter-foot button').click()
  await finish(amal.page)
  t.is(await amal.page.getByRole('button', { name: 'Administration' }).count(), 0)
  const asked: string[] = []
  amal.page.on('request', request => asked.push(new URL(request.url()).pathname))
  await amal.page.evaluate(`location.hash = '#/admin/people'`)
  await amal.page.locator('.start').waitFor()
  t.deepEqual(
    asked.filter(path => path.includes('administration')),
    [],
    'nothing of it is loaded',
  )
  const worker = await call(clinic.world.server.base, 'GET', '/service-worker.js')
  t.true(worker.body.includes('/assets/'))
  t.false(worker.body.includes('administration'), 'nor kept for later')
  await amal.close()

  await page.getByLabel('Name or address').fill('nasser')
  await rowOf(root, 'Amal Nasser').click()
  await page.getByText('Passkeys').waitFor()
  t.is((await clinic.ask('GET', `/people/${inPath(idOf('amal'))}`)).body.passkeys, 1)
})

test.serial('locking asks for the passkey: without it nothing is done, with it the audit has it', async t => {
  const jonas = await clinic.member('jonas', 'Jonas Weber')
  await goTo(root, `people/${inPath(jonas.userId)}`)
  // Somebody who says no once. (The virtual authenticator says no for ever.)
  await root.page.evaluate(
    `navigator.credentials.get = (get => () => { navigator.credentials.get = get; throw new DOMException('no', 'NotAllowedError') })(navigator.credentials.get)`,
  )
  await doAct(root, 'Lock')
  await dialog(root).locator('.notice.bad').waitFor()
  t.false((await clinic.ask('GET', `/people/${inPath(jonas.userId)}`)).body.locked)
  await dialog(root).getByRole('button', { name: 'Lock', exact: true }).click()
  await root.page.locator('.admin-tag').getByText('Locked').waitFor()
  t.true((await clinic.ask('GET', `/people/${inPath(jonas.userId)}`)).body.locked)
  await root.page.getByText('What the audit says').click()
  const entry = root.page.locator('.admin-audit li').first()
  await entry.getByText('Locked').waitFor()
  t.regex(await entry.innerText(), /@root:localhost/)
})

test.serial('of two administrators the second sees that something changed', async t => {
  const second = await clinic.administrator('second', 'Samir Khoury')
  const place = `people/${inPath(idOf('jonas'))}`
  await goTo(second, place)
  await goTo(root, place)
  await root.page.getByRole('button', { name: 'Unlock', exact: true }).waitFor()
  await second.page.getByRole('button', { name: 'Unlock', exact: true }).waitFor()
  await doAct(root, 'Suspend')
  await root.page.locator('.admin-tag').getByText('Suspended').waitFor()
  await doAct(second, 'Unlock')
  await dialog(second).getByText('Somebody else was quicker').waitFor()
  t.true((await clinic.ask('GET', `/people/${inPath(idOf('jonas'))}`)).body.locked, 'nothing was overwritten')
  await dialog(second).getByRole('button', { name: 'Look again' }).click()
  await second.page.locator('.admin-tag').getByText('Suspended').waitFor()
  await doAct(second, 'Unlock')
  await second.page.getByRole('button', { name: 'Lock', exact: true }).waitFor()
  await second.close()
})

test.serial(
  'a leaver’s room goes to a successor; one that was left without anybody in power gets it back',
  async t => {
    const [leaver, heir] = [
      await clinic.member('leaver', 'Lea Verne'),
      await clinic.member('heir', 'Henri Roux'),
    ]
    const ward = await clinic.room('Ward 3', [leaver, heir])
    await goTo(root, `people/${inPath(leaver.userId)}`)
    await root.page.getByRole('button', { name: 'Deactivate' }).click()
    await dialog(root).getByText('Ward 3').waitFor()
    t.true(
      await dialog(root).getByRole('button', { name: 'Deactivate' }).isDisabled(),
      'not before it is decided',
    )
    await dialog(root).getByRole('searchbox', { name: 'Successor' }).fill('henri')
    await dialog(root).getByRole('button', { name: 'Henri Roux' }).click()
    await dialog(root).getByRole('button', { name: 'Deactivate' }).click()
    await root.page.getByText('This account has ended').waitFor()
    const passed = (await clinic.ask('GET', `/rooms/${inPath(ward)}`)).body
    t.deepEqual(
      passed.powerful.map((each: { user_id: string }) => each.user_id),
      [heir.userId],
    )

    const [gone, left] = [
      await clinic.member('gone', 'Gon Estrada'),
      await clinic.member('left', 'Lefteris Pappas'),
    ]
    const lab = await clinic.room('Laboratory', [gone, left])
    await clinic.ask('POST', `/people/${inPath(gone.userId)}/deactivate`, { leave_rooms_without_power: true })
    await goTo(root, 'rooms')
    await root.page.getByLabel('Show').selectOption('nobody')
    await rowOf(root, 'Laboratory').click()
    await root.page.getByText('Nobody in this room can change').waitFor()
    await root.page.getByRole('button', { name: 'Give power back' }).click()
    await dialog(root).getByLabel('To whom').fill('lefteris')
    await dialog(root).getByRole('button', { name: 'Lefteris Pappas' }).click()
    await dialog(root).getByRole('button', { name: 'Give power back' }).click()
    await root.page.getByText('somebody in power again').waitFor()
    t.is((await clinic.ask('GET', `/rooms/${inPath(lab)}`)).body.power, 'here')
  },
)

test.serial(
  'a server is pinned from a file only once the words agree; then suspended and removed',
  async t => {
    const { page } = root
    const file = join(tmpdir(), `letro-card-${process.pid}.json`)
    writeFileSync(file, JSON.stringify(siteOf('court.example').card(Date.now())))
    await goTo(root, 'peers')
    await page.locator('.admin-words').waitFor()
    await page.getByRole('button', { name: 'Pin a server', exact: true }).click()
    await dialog(root)
      .getByLabel('Card file')
      .setInputFiles({
        name: 'no-card.json',
        mimeType: 'application/json',
        buffer: Buffer.from('{"letro": 1}'),
      })
    await dialog(root)
      .getByText('The card is not complete')
      .or(dialog(root).getByText('That is no card'))
      .waitFor()
    await dialog(root).getByLabel('Card file').setInputFiles(file)
    await dialog(root).getByText('court.example', { exact: true }).waitFor()
    const pin = dialog(root).getByRole('button', { name: 'Pin a server', exact: true })
    t.true(await pin.isDisabled(), 'the words were not compared')
    const lines = dialog(root).getByRole('group', { name: 'Compare the words' }).getByRole('checkbox')
    for (const line of (await lines.all()).slice(1)) await line.check()
    t.true(await pin.isDisabled(), 'one line is missing')
    await lines.first().check()
    await pin.click()
    await rowOf(root, 'court.example').click()
    await page.getByText('Their words').waitFor()
    t.is(await page.locator('.admin-words').count(), 2, 'theirs and ours, side by side')
    await doAct(root, 'Suspend')
    await page.locator('.admin-tag').getByText('Suspended').waitFor()
    await doAct(root, 'Remove the pin')
    await page.getByText('No other server yet').waitFor()
    t.deepEqual((await clinic.ask('GET', '/peers')).body.peers, [])
  },
)

test.serial('a command line is let in by its code and a passkey, and put out', async t => {
  const { base } = clinic.world.server
  const begun = await call(base, 'POST', `${api}/command-lines/begin`, { body: { label: 'letro on laptop' } })
  const { code, secret } = begun.body
  await goTo(root, 'command')
  await root.page.getByLabel('The code that it shows').fill(code.toLowerCase())
  await root.page.getByRole('button', { name: 'Next' }).click()
  await dialog(root).getByText('letro on laptop').waitFor()
  await dialog(root).getByRole('button', { name: 'Allow', exact: true }).click()
  await root.page.getByText('was let in').waitFor()
  const collected = await call(base, 'POST', `${api}/command-lines/collect`, { body: { secret } })
  const { token } = collected.body
  t.is((await call(base, 'GET', `${api}/people`, { token })).status, 200)
  await root.page.locator('.settings-rows').getByText('letro on laptop').waitFor()
  await doAct(root, 'End')
  await root.page.getByText('None.').waitFor()
  t.is((await call(base, 'GET', `${api}/people`, { token })).status, 401)
})

test.serial(
  'a list of people: first what it would change, with its problems; then it is done, and twice is once',
  async t => {
    const { page } = root
    const choose = (text: string) =>
      dialog(root)
        .getByLabel('CSV file')
        .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
    const figure = (name: string) =>
      dialog(root).locator('.admin-figures > div').filter({ hasText: name }).locator('dd').innerText()
    await goTo(root, 'people')
    await page.getByRole('button', { name: 'Import a list' }).click()
    await choose('username,name,kind\nnew-one,New One,member\nnew two,Two,emperor\n')
    await dialog(root).getByText('Nothing is imported until').waitFor()
    t.true(await dialog(root).getByRole('button', { name: 'Do it' }).isDisabled())
    const list = 'username,name,kind\nnew-one,New One,member\nnew-two,New Two,member\n'
    await choose(list)
    await dialog(root).getByText('Nothing is imported until').waitFor({ state: 'detached' })
    t.is(await figure('New'), '2')
    await dialog(root).getByRole('button', { name: 'Do it' }).click()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      dialog(root).getByRole('button', { name: 'Save the links' }).click(),
    ])
    t.is(file.suggestedFilename(), 'letro-links.csv')
    await dialog(root).getByRole('button', { name: 'Done' }).click()
    await page.getByRole('button', { name: 'Import a list' }).click()
    await choose(list)
    await dialog(root).locator('.admin-figures').waitFor()
    t.is(await figure('New'), '0')
    t.is(await figure('Invited already'), '2')
    await page.keyboard.press('Escape')
  },
)

test.serial(
  'a backup: nothing without a key; with one it is made, listed, and can be taken away',
  async t => {
    const { page } = root
    await goTo(root, 'backup')
    await page.getByText('There has never been a backup').waitFor()
    t.true(await page.getByRole('button', { name: 'Back up now' }).isDisabled())
    await page.getByRole('button', { name: 'Change the keys' }).click()
    const recipient = await identityToRecipient(await generateX25519Identity())
    await dialog(root).getByLabel('Public keys').fill('no-key')
    await dialog(root).getByText('A public key begins with').waitFor()
    await dialog(root).getByLabel('Public keys').fill(recipient)
    await dialog(root).getByRole('button', { name: 'Save' }).click()
    await page.getByText(recipient).waitFor()
    await page.getByRole('button', { name: 'Back up now' }).click()
    // What went wrong is said on the page, and then in the test's own words.
    const outcome = page.getByText(/^(?:The last one:|The attempt of)/)
    await outcome.waitFor()
    t.regex(await outcome.innerText(), /^The last one:/)
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download', exact: true }).first().click(),
    ])
    t.regex(file.suggestedFilename(), /letro|localhost/)
    await goTo(root, 'audit')
    await page.getByLabel('What').selectOption('backup')
    await page.locator('.admin-audit').getByText('Backup keys changed').waitFor()
  },
)

test.serial(
  'a backup that the night began first is followed to its end, also past an answer that failed',
  async t => {
    const watch = await clinic.world.enrolled('watch', 'Night Watch', {
      kind: 'administrator',
      sharesWorker: false,
    })
    const { page, context } = watch
    await goTo(watch, 'backup')
    const files = page.locator('.settings-rows li')
    await files.first().waitFor()
    const before = await files.count()
    let looks = 0
    await context.route('**/admin/v1/backups', async route => {
      if (route.request().method() === 'POST') {
        await clinic.ask('POST', '/backups')
        const refusal = { errcode: 'BACKUP_RUNNING', error: 'Somebody was first.' }
        return route.fulfill({ status: 409, json: refusal })
      }
      looks++
      if (looks === 2)
        return route.fulfill({ status: 404, json: { errcode: 'M_NOT_FOUND', error: 'Not now.' } })
      const answer = await route.fetch()
      const running = { since_ts: Date.now(), step: 'rows', bytes: 0 }
      const { files: _, ...rest } = await answer.json()
      return looks === 1
        ? route.fulfill({ json: { ...rest, files: [], running } })
        : route.fulfill({ response: answer })
    })
    await page.getByRole('button', { name: 'Back up now' }).click()
    await page.getByText('A backup is being made').waitFor()
    await files.nth(before).waitFor()
    await page.getByText('A backup is being made').waitFor({ state: 'hidden' })
    t.is(await page.getByText('Somebody was first.').count(), 0)
    await watch.close()
  },
)

test.serial('the audit is checked and taken away; the configuration says where it comes from', async t => {
  const { page } = root
  await goTo(root, 'audit')
  await page.getByRole('button', { name: 'Check the chain' }).click()
  await page.getByText('the chain is whole').waitFor()
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click(),
  ])
  t.regex(file.suggestedFilename(), /^audit-.*\.jsonl$/)
  await page.getByLabel('What').selectOption('peer')
  await page.locator('.admin-audit').getByText('Server pinned').waitFor()
  t.is(await page.locator('.admin-audit').getByText('Invitation made').count(), 0)
  await goTo(root, 'configuration')
  await page.getByText('admin.token_file').first().waitFor()
  await goTo(root, 'overview')
  await page.getByText('Looked at').waitFor()
  t.deepEqual(
    root.complaints.filter(each => each !== '401' && each !== '403' && each !== '400'),
    [],
  )
})

/** Whom the machine talks to, through its own firewall: a place for backups, a syslog collector, another organisation. */
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import test, { registerCompletionHandler } from 'ava'
import { startCollector } from '../../../health/collector.ts'
import { call } from '../../../support/client.ts'
import { type FederatedServer, startFederated } from '../../../support/federated.ts'
import { findOpenSsh, startSshd } from '../../../support/openssh.ts'
import { answers } from '../first-start.ts'
import { SiteMachine } from '../golden.ts'
import { settings } from '../settings.ts'
import { within } from '../site.ts'

registerCompletionHandler(() => process.exit())
const admin = '/_letro/admin/v1'
const host = '10.0.2.100'
const [sftpPort, collectorPort, peerPort] = [22, 6514, 8448]

test('backups, health and another organisation come through the firewall, and nobody else does', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'letro-neighbours-'))
  const away = join(folder, 'away')
  mkdirSync(away)
  const sshd = await startSshd(findOpenSsh()!, join(folder, 'ssh'))
  const collector = await startCollector({ name: host })
  const lab = await startFederated('lab.test', {
    'server.name': 'lab.test',
    'federation.address': `${host}:${peerPort}`,
  })
  const gate = await startFederated('gate.test', { 'server.name': 'gate.test' })
  t.teardown(async () => {
    await Promise.all([sshd.close(), collector.close(), lab.process.remove(), gate.process.remove()])
    rmSync(folder, { recursive: true })
  })
  const neighbours = {
    [`${host}:${sftpPort}`]: sshd.port,
    [`${host}:${collectorPort}`]: collector.at.port,
    [`${host}:${peerPort}`]: lab.federationPort,
  }
  const said = { ...answers, listen: { federation: `[::]:${peerPort}` } }
  const own = await SiteMachine.fromStick(t, 'neighbours', { neighbours }, said)
  const { site, people } = own
  const ask = (path: string, method = 'GET') => site.ask(method, admin + path, undefined, people.amalsToken)
  const confirms = async (method: string, path: string, body: object) => {
    const { status, text } = await people.confirms(method, admin + path, body)
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`)
  }
  const set = (key: string, value: string) => confirms('PUT', `/configuration/${key}`, { value })

  // The folder on the other machine: by the key that the appliance shows for it.
  const recipients = [await identityToRecipient(await generateX25519Identity())]
  await confirms('PUT', '/backup-recipients', { recipients })
  await set('backup.sftp_host_key', sshd.hostKey)
  await set('backup.sftp', `sftp://${sshd.user}@${host}:${sftpPort}${away}`)
  const { sftp_public_key: publicKey } = await ask('/backups')
  t.regex(publicKey, /^ssh-ed25519 /)
  appendFileSync(join(folder, 'ssh', 'authorized'), `${publicKey}\n`)
  const began = performance.now()
  await within(settings.pageMs, async () => {
    const { status } = await site.fetch(`${site.origin}${admin}/backups`, {
      method: 'POST',
      headers: { authorization: `Bearer ${people.amalsToken}` },
    })
    if (status !== 202) throw new Error(`POST /backups: ${status}`)
  })
  const success = await within(settings.updateMs, async () => {
    const { last_success: success, last_failure: failure } = await ask('/backups')
    if (success && readdirSync(away).includes(success.name)) return success
    throw new Error(`no backup there yet: ${JSON.stringify(failure ?? null)}`)
  })
  t.log(`${success.bytes} bytes are there after ${Math.round((performance.now() - began) / 1000)} s`)

  // A field of the page takes the line breaks out of what is pasted into it.
  const token = randomBytes(24).toString('hex')
  await set('metrics.token_sha256', createHash('sha256').update(token).digest('hex'))
  await set('syslog.address', `${host}:${collectorPort}`)
  await set('syslog.authority', collector.at.authority!.replaceAll(/[\r\n]/g, ''))
  await own.machine.powerOff()
  await own.powerOn(t, { neighbours })
  await own.serves()
  await within(settings.updateMs, async () => {
    const acts = collector.lines.filter(({ messageId }) => messageId === 'audit')
    if (!acts.some(({ message }) => message.action === 'backup.asked')) throw new Error('no audit there yet')
  })
  t.false(collector.lines.some(({ raw }) => raw.includes('@amal')))
  const scraped = await site.fetch(`${site.origin}/_letro/metrics`, {
    headers: { authorization: `Bearer ${token}` },
  })
  t.regex(await scraped.text(), /^letro_people_people 2$/m)

  // Another organisation: nobody is answered at the port for servers who is not pinned.
  const door = own.machine.port(8448)
  t.false(await isAnswered(door))
  await confirms('POST', '/peers', await pinOf(lab))
  // Whoever connects from this computer comes from this address.
  await confirms('POST', '/peers', { ...(await pinOf(gate)), address: { host: '10.0.2.2', port: 443 } })
  await within(settings.pageMs, async () => {
    if (!(await isAnswered(door))) throw new Error('a pinned server is not answered')
  })
  const { card, fingerprint } = await ask('/site-card')
  const address = { host: '127.0.0.1', port: door }
  await lab.admin('POST', '/peers', { card, fingerprint: fingerprint.join(' '), address })

  const bob = await lab.process.register('bob', 'correct horse battery staple')
  const bobs = async (method: string, path: string, body?: unknown) => {
    const options = { token: bob.token, ...(body === undefined ? {} : { body }) }
    const { status, body: said } = await call(lab.process.base, method, `/_matrix/client/v3${path}`, options)
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(said)}`)
    return said
  }
  await people.amal.client.invite(people.roomId, bob.userId)
  const room = encodeURIComponent(people.roomId)
  await within(settings.pageMs, () => bobs('POST', `/join/${room}?via=clinic.test`, {}))
  await people.say('welcome, lab')
  const [, { eventId }] = people.messages.slice(-2) as [unknown, { eventId: string }]
  await within(settings.pageMs, () => bobs('GET', `/rooms/${room}/event/${encodeURIComponent(eventId)}`))
  const sent = await bobs('PUT', `/rooms/${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' })
  await within(settings.pageMs, () =>
    site.ask(
      'GET',
      `/_matrix/client/v3/rooms/${room}/event/${encodeURIComponent(sent.event_id)}`,
      undefined,
      people.amalsToken,
    ),
  )
  await own.keepsItsPromise(t)
})

async function pinOf(server: FederatedServer): Promise<{ card: unknown; fingerprint: string }> {
  const { body } = await server.admin('GET', '/site-card')
  return { card: body.card, fingerprint: body.fingerprint.join(' ') }
}

/** Whether a TLS handshake gets so far that a certificate is shown. */
function isAnswered(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port, servername: 'clinic.test', rejectUnauthorized: false })
  socket.setTimeout(5_000, () => socket.destroy())
  socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

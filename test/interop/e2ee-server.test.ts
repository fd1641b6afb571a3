/** Our engine and matrix-js-sdk with Rust crypto in one room of the real server, which is killed in between. */
import test, { registerCompletionHandler } from 'ava'
import { Preset } from 'matrix-js-sdk'
import { readIdentity } from '../../pwa/e2ee/identity.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import { admitNewcomer } from '../../pwa/e2ee/signed-invite.ts'
import { ServerProcess } from '../support/server-process.ts'
import { LetroDevice } from './letro-client.ts'
import { SdkDevice } from './sdk-client.ts'

const password = 'correct horse battery staple'
// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

test('messages go both ways, before and after the server was killed and our client closed', async t => {
  await ready
  const server = await ServerProcess.start()
  t.teardown(() => server.remove())
  const theirs = await new SdkDevice(server, await server.register('theirs', password)).start()
  t.teardown(() => theirs.stop())
  await theirs.client.getCrypto()!.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async makeRequest => await makeRequest(null),
  })
  const ours = await new LetroDevice(server, await server.register('ours', password)).start()
  t.teardown(() => ours.stop())
  await ours.bootstrap()

  const { room_id: roomId } = await theirs.client.createRoom({
    preset: Preset.TrustedPrivateChat,
    invite: [ours.userId],
    initial_state: [
      { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } },
    ],
  })
  await ours.request('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {})
  await ours.until(async () => (await ours.records.get('room', roomId))?.['algorithm'] !== undefined)
  // Nobody vouched for who invited us: a person says yes to them as they are.
  const { userId } = theirs
  await ours.until(async () => (await ours.records.get('identity', userId)) !== undefined)
  await ours.machine.run(async step => {
    const masterKey = (await readIdentity(step, userId))!.masterKey
    await admitNewcomer(step, { roomId, userId, masterKey })
  })

  const first = await ours.sendText(roomId, 'from us')
  t.is(await theirs.read(roomId, first), 'from us')
  const second = await theirs.sendText(roomId, 'from them')
  t.is(await ours.read(second), 'from them')
  t.like(ours.timeline.get(second)?.result, { shield: 'none', source: 'owner' })

  await ours.stop()
  await server.kill()
  await server.start()
  await ours.start()
  const third = await ours.sendText(roomId, 'after the crash')
  t.is(await theirs.read(roomId, third), 'after the crash')
  const fourth = await theirs.sendText(roomId, 'here too')
  t.is(await ours.read(fourth), 'here too')
})

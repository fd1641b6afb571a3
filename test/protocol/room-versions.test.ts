import test from 'ava'
import { defaultRoomVersion, roomVersion, roomVersions } from '../../server/protocol/room-versions.ts'

test('versions 10, 11 and 12 are spoken, 12 is the default', t => {
  t.deepEqual(roomVersions, ['10', '11', '12'])
  t.is(defaultRoomVersion, '12')
  for (const version of roomVersions) t.is(roomVersion(version)?.version, version)
})

test('no other version is spoken, whatever its name', t => {
  for (const id of ['1', '9', '13', '', 'org.matrix.hydra.11', 'constructor', '__proto__', '12 ']) {
    t.is(roomVersion(id), null)
  }
})

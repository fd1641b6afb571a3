/**
 * The rules for m.room.member: (5.x) in version 12, (4.x) in versions 10 and 11.
 *
 * The numbers below are those after the first; a rejection must name the whole of it.
 */
import test from 'ava'
import { encodeBase64, encodeBase64Url } from '../../server/protocol/base64.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { type KeyId, signJson } from '../../server/protocol/signing.ts'
import type { Verdict } from '../../server/rooms/verdict.ts'
import { signingKey } from '../support/primitives.ts'
import { alice, bob, carol, dave, type Fields, TestRoom } from '../support/test-room.ts'

function rule(
  number: string,
  outcome: 'allows' | 'rejects',
  sentence: string,
  judge: (version: RoomVersion) => Verdict,
): void {
  for (const version of roomVersions) {
    const whole = `${version === '12' ? 5 : 4}.${number}`
    test(`rooms/v${version} (${whole}) ${outcome} ${sentence}`, t => {
      const verdict = judge(version)
      if (outcome === 'allows') {
        t.deepEqual(verdict, { kind: 'accept' })
      } else {
        const named = verdict.kind === 'reject' ? verdict.rule : verdict.kind
        t.true(named.startsWith(`rooms/v${version}#authorization-rules (${whole}): `), named)
      }
    })
  }
}

const member = (sender: string, target: string, membership: unknown, content: JsonObject = {}): Fields => ({
  type: 'm.room.member',
  sender,
  state_key: target,
  content: { membership, ...content } as JsonObject,
})

// (1) and (2)

rule('1', 'rejects', 'a membership without state key', version =>
  TestRoom.open(version).judge({ type: 'm.room.member', sender: alice, content: { membership: 'join' } }),
)
rule('1', 'rejects', 'an event without membership', version =>
  TestRoom.open(version).judge({ type: 'm.room.member', sender: alice, state_key: alice, content: {} }),
)
rule('1', 'rejects', 'a membership that is no text', version =>
  TestRoom.open(version).judge(member(alice, alice, 1)),
)
rule('1', 'rejects', 'the membership of what is no user', version =>
  TestRoom.open(version).judge(member(alice, 'somebody', 'invite')),
)
rule('2.1', 'rejects', 'a join that was authorised by what is no user', version =>
  TestRoom.open(version, { joinRule: 'public' }).judge(
    member(bob, bob, 'join', { join_authorised_via_users_server: 5 }),
  ),
)

// (3) join

rule('3.1', 'allows', "the creator's join right after the create event", version =>
  new TestRoom(version).judge(member(alice, alice, 'join')),
)
rule('3.7', 'rejects', "another's join right after the create event", version =>
  new TestRoom(version).judge(member(bob, bob, 'join')),
)
rule('3.7', 'rejects', "the creator's join that stands on more than the create event", version => {
  const room = new TestRoom(version)
  const other = room.fork(() => room.member(bob, 'leave'))
  return room.judge({
    ...member(alice, alice, 'join'),
    prev_events: [room.create.eventId, [...other.values()].at(-1)!],
  })
})
test('rooms/v12 (5.3.7) rejects an additional creator who joins right after the create event', t => {
  const room = new TestRoom('12', { additional_creators: [bob] })
  t.is(room.judge(member(bob, bob, 'join')).kind, 'reject')
})
rule('3.2', 'rejects', 'a join for somebody else', version =>
  TestRoom.open(version, { joinRule: 'public' }).judge(member(alice, bob, 'join')),
)
for (const joinRule of ['public', 'invite', 'knock', 'restricted', 'knock_restricted']) {
  rule('3.3', 'rejects', `a join of somebody banned where the join rule is ${joinRule}`, version => {
    const room = TestRoom.open(version, { joinRule })
    room.member(bob, 'ban', alice)
    return room.judge(member(bob, bob, 'join'))
  })
}
for (const joinRule of ['invite', 'knock']) {
  for (const membership of ['invite', 'join']) {
    rule(
      '3.4',
      'allows',
      `a join where the join rule is ${joinRule} and the membership ${membership}`,
      version => {
        const room = TestRoom.open(version, { joinRule })
        room.member(bob, membership, alice)
        return room.judge(member(bob, bob, 'join'))
      },
    )
  }
  for (const membership of ['leave', 'knock', null]) {
    rule(
      '3.7',
      'rejects',
      `a join where the join rule is ${joinRule} and the membership ${membership}`,
      version => {
        const room = TestRoom.open(version, { joinRule })
        if (membership) room.member(bob, membership)
        return room.judge(member(bob, bob, 'join'))
      },
    )
  }
}
rule('3.4', 'allows', 'an invited join in a room that has no join rule', version => {
  const room = TestRoom.open(version)
  room.member(bob, 'invite', alice)
  return room.judge(member(bob, bob, 'join'))
})

const authorisedBy = (user: string): JsonObject => ({ join_authorised_via_users_server: user })
for (const joinRule of ['restricted', 'knock_restricted']) {
  for (const membership of ['invite', 'join']) {
    rule(
      '3.5.1',
      'allows',
      `a join where the join rule is ${joinRule} and the membership ${membership}`,
      version => {
        const room = TestRoom.open(version, { joinRule })
        room.member(bob, membership, alice)
        return room.judge(member(bob, bob, 'join'))
      },
    )
  }
  rule('3.5.2', 'rejects', `a join that nobody authorised where the join rule is ${joinRule}`, version =>
    TestRoom.open(version, { joinRule }).judge(member(bob, bob, 'join')),
  )
  rule(
    '3.5.2',
    'rejects',
    `a join authorised by somebody outside where the join rule is ${joinRule}`,
    version => TestRoom.open(version, { joinRule }).judge(member(bob, bob, 'join', authorisedBy(carol))),
  )
  rule(
    '3.5.2',
    'rejects',
    `a join authorised by somebody who may not invite where the join rule is ${joinRule}`,
    version => {
      const room = TestRoom.open(version, { joinRule, powerLevels: { invite: 10, users: { [carol]: 9 } } })
      room.member(carol, 'join')
      return room.judge(member(bob, bob, 'join', authorisedBy(carol)))
    },
  )
  rule(
    '3.5.3',
    'allows',
    `a join authorised by a member who may invite where the join rule is ${joinRule}`,
    version => {
      const room = TestRoom.open(version, { joinRule, powerLevels: { invite: 10, users: { [carol]: 10 } } })
      room.member(carol, 'join')
      return room.judge(member(bob, bob, 'join', authorisedBy(carol)))
    },
  )
}
rule('3.6', 'allows', 'anybody to join where the join rule is public', version =>
  TestRoom.open(version, { joinRule: 'public' }).judge(member(bob, bob, 'join')),
)
for (const joinRule of ['private', 'org.example.other']) {
  rule('3.7', 'rejects', `an invited join where the join rule is ${joinRule}`, version => {
    const room = TestRoom.open(version, { joinRule })
    room.member(bob, 'invite', alice)
    return room.judge(member(bob, bob, 'join'))
  })
}

// (4.1) third-party invites

// The first key whose text differs in the two alphabets.
const { sign, publicKey } = [1, 3, 4, 5, 6, 7, 8, 9]
  .map(seed => signingKey(new Uint8Array(32).fill(seed)))
  .find(key => /[+/]/.test(encodeBase64(key.publicKey)))!
const stranger = signingKey(new Uint8Array(32).fill(2))
const keyId = 'ed25519:0' as KeyId
const signedFor = (mxid: string, token = 'token', by = sign) =>
  signJson({ mxid, token }, 'id.example.org', keyId, by)
const redeem = (signed: unknown, sender: string = alice): Fields =>
  member(sender, bob, 'invite', {
    third_party_invite: { display_name: 'b', signed },
  } as unknown as JsonObject)

function withPendingInvite(
  version: RoomVersion,
  content: JsonObject = { public_key: encodeBase64(publicKey) },
) {
  const room = TestRoom.open(version)
  room.send({ type: 'm.room.third_party_invite', sender: alice, state_key: 'token', content })
  return room
}

rule('4.1.1', 'rejects', 'a third-party invite of somebody banned', version => {
  const room = withPendingInvite(version)
  room.member(bob, 'ban', alice)
  return room.judge(redeem(signedFor(bob)))
})
rule('4.1.2', 'rejects', 'a third-party invite without signed object', version =>
  withPendingInvite(version).judge(redeem(undefined)),
)
rule('4.1.2', 'rejects', 'a third-party invite that is no object', version =>
  withPendingInvite(version).judge(member(alice, bob, 'invite', { third_party_invite: null })),
)
rule('4.1.3', 'rejects', 'a signed object without mxid', version =>
  withPendingInvite(version).judge(redeem({ token: 'token' })),
)
rule('4.1.3', 'rejects', 'a signed object without token', version =>
  withPendingInvite(version).judge(redeem({ mxid: bob })),
)
rule('4.1.4', 'rejects', 'a signed object for somebody else', version =>
  withPendingInvite(version).judge(redeem(signedFor(carol))),
)
rule('4.1.5', 'rejects', 'a token that the room does not know', version =>
  withPendingInvite(version).judge(redeem(signedFor(bob, 'other'))),
)
rule('4.1.6', 'rejects', "somebody else's redemption of an invite", version => {
  const room = withPendingInvite(version)
  room.member(dave, 'join')
  return room.judge(redeem(signedFor(bob), dave))
})
rule('4.1.7', 'allows', "what the invite's key signed", version =>
  withPendingInvite(version).judge(redeem(signedFor(bob))),
)
rule('4.1.7', 'allows', "what the invite's key signed though the inviter has left since", version => {
  const room = withPendingInvite(version)
  room.member(alice, 'leave')
  return room.judge(redeem(signedFor(bob)))
})
rule('4.1.7', 'allows', 'what one of several keys signed, in either alphabet', version =>
  withPendingInvite(version, {
    public_key: encodeBase64(stranger.publicKey),
    public_keys: [{ public_key: 5 }, 'x', { public_key: encodeBase64Url(publicKey) }],
  }).judge(redeem(signedFor(bob))),
)
rule('4.1.8', 'rejects', 'what another key signed', version =>
  withPendingInvite(version).judge(redeem(signedFor(bob, 'token', stranger.sign))),
)
rule('4.1.8', 'rejects', 'what was changed after signing', version =>
  withPendingInvite(version).judge(redeem({ ...signedFor(bob), sender: alice })),
)
rule('4.1.8', 'rejects', 'what nobody signed', version =>
  withPendingInvite(version).judge(
    redeem({ mxid: bob, token: 'token', signatures: { x: 1, y: { 'ed25519:1': 2 }, z: null } }),
  ),
)
rule('4.1.8', 'rejects', 'a signed object without signatures', version =>
  withPendingInvite(version).judge(redeem({ mxid: bob, token: 'token' })),
)
rule('4.1.8', 'rejects', 'an invite that carries no key', version =>
  withPendingInvite(version, {}).judge(redeem(signedFor(bob))),
)

// (4) invites

rule('4.2', 'rejects', 'an invite from somebody outside', version =>
  TestRoom.open(version).judge(member(carol, bob, 'invite')),
)
for (const membership of ['join', 'ban']) {
  rule('4.3', 'rejects', `an invite of somebody whose membership is ${membership}`, version => {
    const room = TestRoom.open(version)
    room.member(bob, membership, alice)
    return room.judge(member(alice, bob, 'invite'))
  })
}
for (const membership of ['leave', 'knock', 'invite', null]) {
  rule('4.4', 'allows', `an invite of somebody whose membership is ${membership}`, version => {
    const room = TestRoom.open(version)
    if (membership) room.member(bob, membership)
    return room.judge(member(alice, bob, 'invite'))
  })
}
rule('4.4', 'allows', 'an invite at the invite level', version => {
  const room = TestRoom.open(version, { powerLevels: { invite: 5, users: { [carol]: 5 } } })
  room.member(carol, 'join')
  return room.judge(member(carol, bob, 'invite'))
})
rule('4.4', 'allows', 'an invite from any member where no invite level is given', version => {
  const room = TestRoom.open(version, { powerLevels: {} })
  room.member(carol, 'join')
  return room.judge(member(carol, bob, 'invite'))
})
rule('4.5', 'rejects', 'an invite below the invite level', version => {
  const room = TestRoom.open(version, { powerLevels: { invite: 5, users: { [carol]: 4 } } })
  room.member(carol, 'join')
  return room.judge(member(carol, bob, 'invite'))
})

// (5) leaving, kicking, unbanning

for (const membership of ['invite', 'join', 'knock']) {
  rule('5.1', 'allows', `leaving from ${membership}`, version => {
    const room = TestRoom.open(version)
    room.member(bob, membership)
    return room.judge(member(bob, bob, 'leave'))
  })
}
for (const membership of ['leave', 'ban', null]) {
  rule('5.1', 'rejects', `leaving from ${membership}`, version => {
    const room = TestRoom.open(version)
    if (membership) room.member(bob, membership)
    return room.judge(member(bob, bob, 'leave'))
  })
}
rule('5.2', 'rejects', 'a kick from outside', version => {
  const room = TestRoom.open(version)
  room.member(bob, 'join')
  return room.judge(member(carol, bob, 'leave'))
})

/** Carol is joined with this level, bob has that one. */
function facing(version: RoomVersion, carols: number, bobs: number, levels: JsonObject, bobIs = 'join') {
  const room = TestRoom.open(version, { powerLevels: { ...levels, users: { [carol]: carols, [bob]: bobs } } })
  room.member(carol, 'join')
  room.member(bob, bobIs)
  return room
}
rule('5.3', 'rejects', 'an unban below the ban level', version =>
  facing(version, 50, 0, { ban: 51, kick: 50 }, 'ban').judge(member(carol, bob, 'leave')),
)
rule('5.4', 'allows', 'an unban at the ban and the kick level', version =>
  facing(version, 51, 0, { ban: 51, kick: 50 }, 'ban').judge(member(carol, bob, 'leave')),
)
rule('5.5', 'rejects', 'an unban at the ban level and below the kick level', version =>
  facing(version, 51, 0, { ban: 51, kick: 52 }, 'ban').judge(member(carol, bob, 'leave')),
)
rule('5.4', 'allows', 'a kick at the kick level of somebody with less power', version =>
  facing(version, 50, 49, {}).judge(member(carol, bob, 'leave')),
)
rule('5.4', 'allows', 'taking back an invite at the kick level', version =>
  facing(version, 50, 0, {}, 'invite').judge(member(carol, bob, 'leave')),
)
rule('5.5', 'rejects', 'a kick below the kick level, which is 50', version =>
  facing(version, 49, 0, {}).judge(member(carol, bob, 'leave')),
)
rule('5.5', 'rejects', 'a kick of an equal', version =>
  facing(version, 50, 50, {}).judge(member(carol, bob, 'leave')),
)

// (6) bans

rule('6.1', 'rejects', 'a ban from outside', version =>
  TestRoom.open(version).judge(member(carol, bob, 'ban')),
)
rule('6.2', 'allows', 'a ban at the ban level of somebody with less power', version =>
  facing(version, 50, 49, {}).judge(member(carol, bob, 'ban')),
)
rule('6.2', 'allows', 'a ban of somebody who never was in the room', version =>
  TestRoom.open(version).judge(member(alice, bob, 'ban')),
)
rule('6.3', 'rejects', 'a ban below the ban level, which is 50', version =>
  facing(version, 49, 0, {}).judge(member(carol, bob, 'ban')),
)
rule('6.3', 'rejects', 'a ban of an equal', version =>
  facing(version, 50, 50, {}).judge(member(carol, bob, 'ban')),
)

test('rooms/v12 (5.5.5, 5.6.3) rejects removing a creator, by anybody and by another creator', t => {
  const room = TestRoom.open('12', {
    create: { additional_creators: [bob] },
    powerLevels: { users: { [carol]: Number.MAX_SAFE_INTEGER } },
  })
  room.member(bob, 'join')
  room.member(carol, 'join')
  for (const membership of ['leave', 'ban']) {
    for (const [sender, target] of [
      [carol, alice],
      [carol, bob],
      [alice, bob],
      [bob, alice],
    ] as const) {
      t.is(room.judge(member(sender, target, membership)).kind, 'reject', `${sender} ${membership} ${target}`)
    }
    t.is(room.judge(member(bob, carol, membership)).kind, 'accept')
  }
})

// (7) knocks

for (const joinRule of ['public', 'invite', 'restricted', 'private']) {
  rule('7.1', 'rejects', `a knock where the join rule is ${joinRule}`, version =>
    TestRoom.open(version, { joinRule }).judge(member(bob, bob, 'knock')),
  )
}
rule('7.1', 'rejects', 'a knock in a room without join rule', version =>
  TestRoom.open(version).judge(member(bob, bob, 'knock')),
)
for (const joinRule of ['knock', 'knock_restricted']) {
  rule('7.2', 'rejects', `a knock for somebody else where the join rule is ${joinRule}`, version =>
    TestRoom.open(version, { joinRule }).judge(member(alice, bob, 'knock')),
  )
  for (const membership of ['leave', 'knock', null]) {
    rule(
      '7.3',
      'allows',
      `a knock where the join rule is ${joinRule} and the membership ${membership}`,
      version => {
        const room = TestRoom.open(version, { joinRule })
        if (membership) room.member(bob, membership)
        return room.judge(member(bob, bob, 'knock'))
      },
    )
  }
  for (const membership of ['ban', 'invite', 'join']) {
    rule(
      '7.4',
      'rejects',
      `a knock where the join rule is ${joinRule} and the membership ${membership}`,
      version => {
        const room = TestRoom.open(version, { joinRule })
        room.member(bob, membership, alice)
        return room.judge(member(bob, bob, 'knock'))
      },
    )
  }
}

rule('8', 'rejects', 'a membership that nobody knows', version =>
  TestRoom.open(version).judge(member(alice, bob, 'org.example.guest')),
)

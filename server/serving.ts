/**
 * The areas of a server whose data is whole: opened from the lowest up, wired to each other, and their routes.
 *
 * `app.ts` opens this over the store, closes it when data turns out to be damaged, and opens it again after a repair.
 */
import { join } from 'node:path'
import { type Accounts, openAccounts } from './accounts/accounts.ts'
import { openFrozenNotices } from './accounts/frozen-notices.ts'
import { membershipGate } from './accounts/membership-gate.ts'
import { adminRoutes } from './admin-api/admin.ts'
import { watchLocalRequests } from './admin-api/local-requests.ts'
import { metricsRoutes } from './admin-api/metrics.ts'
import { openPeerActs } from './admin-api/peer-acts.ts'
import type { Parts } from './app.ts'
import { openServerBackups } from './backup-wiring.ts'
import { openCertificateHealth } from './certificate-health.ts'
import { openCertificateProgram } from './certificate-program.ts'
import { accountRoutes } from './client-api/account.ts'
import { accountDataRoutes } from './client-api/account-data.ts'
import { serverAdminRoutes } from './client-api/admin.ts'

import { appFilesRoutes } from './client-api/app-files.ts'
import { appInfoRoutes } from './client-api/app-info.ts'
import { capabilitiesRoutes } from './client-api/capabilities.ts'
import { crossSigningRoutes } from './client-api/cross-signing.ts'
import { demoAnswer, demoRoutes } from './client-api/demo.ts'
import { deviceRoutes } from './client-api/devices.ts'
import { enrolmentRoutes } from './client-api/enrol.ts'
import { enrolPageRoutes } from './client-api/enrol-page.ts'
import { externalPeopleRoutes } from './client-api/external-people.ts'
import { filterRoutes } from './client-api/filter.ts'
import { openInteractiveAuth, requireInteractiveAuth } from './client-api/interactive-auth.ts'
import { keyBackupRoutes } from './client-api/key-backup.ts'
import { keysRoutes } from './client-api/keys.ts'
import { loginRoutes } from './client-api/login.ts'
import { loginTokenRoutes } from './client-api/login-token.ts'
import { logoutRoutes } from './client-api/logout.ts'
import { mediaRoutes } from './client-api/media.ts'
import { notificationRoutes } from './client-api/notifications.ts'
import { openIdRoutes } from './client-api/openid.ts'
import { organisationsRoutes } from './client-api/organisations.ts'
import { presenceRoutes } from './client-api/presence.ts'
import { profileRoutes } from './client-api/profile.ts'
import { pushRuleRoutes } from './client-api/push-rules.ts'
import { pusherRoutes } from './client-api/pushers.ts'
import { readMarkerRoutes } from './client-api/read-markers.ts'
import { receiptRoutes } from './client-api/receipts.ts'
import { refreshRoutes } from './client-api/refresh.ts'
import { registerRoutes } from './client-api/register.ts'
import { registrationTokenRoutes } from './client-api/registration-tokens.ts'
import { roomRoutes } from './client-api/rooms.ts'
import { syncRoutes } from './client-api/sync.ts'
import { tagRoutes } from './client-api/tags.ts'
import { toDeviceRoutes } from './client-api/to-device.ts'
import { typingRoutes } from './client-api/typing.ts'
import { userDirectoryRoutes } from './client-api/user-directory.ts'
import { versionsRoutes } from './client-api/versions.ts'
import { wellKnownRoutes } from './client-api/well-known.ts'
import { whoamiRoutes } from './client-api/whoami.ts'
import { makeDemoPeople } from './demo-people.ts'
import { type Duties, type Duty, startDuties } from './duties.ts'
import { openFederation } from './federation-wiring.ts'
import { pinFirstPeers } from './first-peers.ts'
import { openServerHealth, watchClock } from './health-wiring.ts'
import { requireAccessToken } from './http/authenticate.ts'
import type { Route } from './http/route.ts'
import { sharingProjection } from './keys/device-lists.ts'
import { openKeys } from './keys/keys.ts'
import { followAccounts, localDevices } from './keys/local-devices.ts'
import { remoteDeviceListsProjection } from './keys/remote-device-lists.ts'
import { openMedia } from './media/media.ts'
import { openRemoteMediaCache } from './media/remote-media.ts'
import { certificateFiles, openRenewal, siteFacts } from './own-certificate.ts'
import { peerAnswers } from './peer-answers.ts'
import { peerEdus } from './peer-edus.ts'
import { openPeers } from './peers/pins.ts'
import { tellOfPeers } from './peers-changed.ts'
import type { AuditAct } from './protocol/audit-chain.ts'
import type { UserId } from './protocol/ids.ts'
import type { JsonObject } from './protocol/json.ts'
import { defaultRoomVersion, roomVersions } from './protocol/room-versions.ts'
import { openBell, unheardEvents } from './push/bell.ts'
import { openMovedRooms } from './push/moved-room.ts'
import { openPush } from './push/push.ts'
import { openPushers } from './push/pushers.ts'
import { openVapidKeys } from './push/web-push.ts'
import { sendPush } from './push-transport.ts'
import { release } from './release.ts'
import { keepServerAcls } from './rooms/acl-keeper.ts'
import { openAliases } from './rooms/aliases.ts'
import { catchUpWithPeers } from './rooms/catch-up.ts'
import { openRoomMembers } from './rooms/membership.ts'
import { openRooms } from './rooms/open-rooms.ts'
import { outboundProjection } from './rooms/outbound-projection.ts'
import { introduction, type People } from './rooms/people.ts'
import { verify } from './rooms/primitives.ts'
import { openPublicRooms } from './rooms/public-rooms.ts'
import { openReceipts } from './rooms/receipts.ts'
import { annotationGate, openRelations, relationsProjection } from './rooms/relations.ts'
import { openRemoteSpaces } from './rooms/remote-spaces.ts'
import { openReports } from './rooms/reports.ts'
import { openRoomOversight } from './rooms/room-oversight.ts'
import { openTyping } from './rooms/typing.ts'
import { steadyClock } from './steady-clock.ts'
import type { Store } from './store/store.ts'
import { newcomersProjection } from './sync/newcomers.ts'
import { openPresence } from './sync/presence.ts'
import { openReadMarkers } from './sync/read-markers.ts'
import { openStoredFilters } from './sync/stored-filters.ts'
import { openSync } from './sync/sync.ts'
import { parseSyncToken } from './sync/token.ts'
import type { TlsMaterial } from './tls-files.ts'
import { updateFindings } from './updates/findings.ts'
import { Updates } from './updates/updates.ts'

export interface Serving {
  readonly accounts: Accounts
  readonly routes: readonly Route[]
  /** For other servers. */
  readonly peerRoutes: readonly Route[]
  readonly duties: Duties
  /** Who changed it: the renewal, or somebody with the command or the files on this machine. */
  noteCertificate(certificate: Pick<TlsMaterial, 'fingerprint256' | 'notAfterMs'>): Promise<void>
  stopWaiting(): void
  close(): Promise<void>
}

export async function openServing(store: Store, parts: Parts): Promise<Serving> {
  const { settings, dataFolder, worker, adminToken, monitoring, means } = parts
  // What can change while it runs is asked of `settings` each time.
  const config = settings.current
  const { clock, randomBytes, log, demo } = means
  const serverName = config.server.name
  const monotonic = means.monotonic ?? clock
  const { asksMachine = true } = means
  const steady = steadyClock(clock, monotonic)
  const { hosts } = config.push
  const isPushOn = hosts.length > 0

  const peers = await openPeers({
    store,
    serverName,
    residency: config.federation.residency ?? undefined,
    clock,
    verify,
    audit: (tx, act) => accounts.audit.record(tx, act),
    alarm: (action, server) => {
      accounts.tellAdministrators(action, server).catch(() => log.warn('administrators could not be told'))
    },
    report: (message, fields) => log.warn(message, fields),
  })
  const federation = await openFederation({
    store,
    serverName,
    peers,
    keys: parts.keys,
    site: parts.site,
    clock,
    log,
  })
  const rooms = await openRooms({
    store,
    serverName,
    clock,
    randomBytes,
    signer: parts.keys,
    checkSignatures: federation.checkSignatures,
    peers,
    remote: federation.remoteRooms,
    mayBeInvited: async userId => {
      if (!(await people.memberProfile(userId))) return 'unknown'
      return (await people.blocksInvites(userId)) ? 'blocked' : 'yes'
    },
    report: (message, fields) => log.warn(message, fields),
    gates: [annotationGate, membershipGate],
    projections: [
      relationsProjection,
      sharingProjection,
      remoteDeviceListsProjection(serverName),
      outboundProjection(serverName, federation.outbound),
      ...(isPushOn ? [unheardEvents] : []),
      ...(config.presence.enabled ? [newcomersProjection] : []),
    ],
  })
  const clockWatch = await watchClock(store, {
    ...{ clock, monotonic, asksMachine },
    applianceReport: config.appliance.report,
  })
  const accounts = await openAccounts({
    store,
    rooms,
    clock,
    randomBytes,
    serverName,
    origin: config.server.origin,
    get registration() {
      return settings.current.accounts.registration
    },
    get passwords() {
      return settings.current.accounts.passwords
    },
    passwordHasher: worker,
    isClockInDoubt: () => clockWatch.isInDoubt,
    report: message => log.warn(message),
  })
  const keys = await openKeys({
    store,
    rooms,
    devices: localDevices,
    verifyEd25519: verify,
    clock,
    federation: { outbound: federation.outbound, remote: federation.remoteKeys, peers },
  })
  followAccounts(accounts, keys, store)
  const media = await openMedia({
    store,
    serverName,
    dataFolder,
    clock,
    randomBytes,
    thumbnailer: worker,
    get maxUploadBytes() {
      return settings.current.limits.uploadBytes
    },
    get quotaBytes() {
      return settings.current.limits.mediaQuotaBytes
    },
  })
  const remoteMedia = await openRemoteMediaCache({
    store,
    remote: federation.remoteMedia,
    dataFolder,
    clock,
    randomBytes,
    thumbnailer: worker,
    get maxFileBytes() {
      return settings.current.limits.uploadBytes
    },
  })

  const ignoredUsers = (userId: UserId) => accounts.accountData.ignoredUsers(userId)
  const people: People = {
    memberProfile: async userId => {
      const person = await accounts.people.get(userId)
      if (!person || person.deactivatedTs !== undefined) return null
      return { ...(await accounts.profiles.member(userId)) }
    },
    remoteProfile: async userId => introduction((await federation.remoteProfile(userId)) ?? {}),
    erasedAmong: userIds => accounts.deactivation.erasedAmong(userIds),
    blocksInvites: userId => accounts.accountData.blocksInvites(userId),
  }
  const receipts = openReceipts({ store, clock, outlet: { outbound: federation.outbound, rooms } })
  const typing = openTyping({ clock: steady })
  const relations = openRelations({ store, rooms, ignoredUsers })
  const members = openRoomMembers({ rooms, people, outward: rooms.outward, peers })
  const aliases = openAliases({ store, rooms, remote: federation.remoteRooms, clock })
  await keepServerAcls({ store, rooms, peers, report: (message, fields) => log.warn(message, fields) })
  await openFrozenNotices({
    store,
    rooms,
    accountData: accounts.accountData,
    report: message => log.warn(message),
  })
  const publicRooms = openPublicRooms({ store, rooms, clock })
  const reports = openReports({ store, clock })
  const push = openPush({ store, rooms, receipts, ignoredUsers })
  const pushers = openPushers({ store, clock })
  const vapid = isPushOn ? await openVapidKeys(store) : null
  const bell = vapid
    ? openBell({
        store,
        rooms,
        push,
        pushers,
        ignoredUsers,
        send: means.sendPush ?? sendPush,
        hosts,
        vapid,
        subject: config.server.origin.startsWith('https:')
          ? config.server.origin
          : `mailto:postmaster@${serverName}`,
        clock,
        report: message => log.warn(message),
      })
    : null
  const filters = openStoredFilters({ store })
  accounts.onDeviceRemoved((tx, userId, deviceId) => pushers.removeOfDeviceIn(tx, userId, deviceId))
  accounts.onAccountRemoved(async (tx, userId) => {
    await push.removeAllIn(tx, userId)
    await pushers.removeAllIn(tx, userId)
    await filters.removeAllIn(tx, userId)
  })
  const presence = config.presence.enabled
    ? openPresence({ store, rooms, outbound: federation.outbound, clock: steady })
    : undefined
  const sync = openSync({
    store,
    rooms,
    receipts,
    typing,
    push,
    people,
    accountData: accounts.accountData,
    toDevice: {
      page: (userId, deviceId, after, upTo, limit) => keys.toDevice(userId, deviceId, after, upTo, limit),
      acknowledge: (userId, deviceId, upTo) => keys.acknowledge(userId, deviceId, upTo),
    },
    deviceLists: { changes: (userId, after, upTo) => keys.deviceListChanges(userId, after, upTo) },
    keys: { keyCounts: (userId, deviceId) => keys.keyCounts(userId, deviceId) },
    aggregations: relations,
    presence,
    clock,
    steady,
  })
  const readMarkers = openReadMarkers({
    rooms,
    receipts,
    setAccountData: (userId, roomId, type, content) =>
      accounts.accountData.set(userId, roomId, type, content),
  })
  const audit = (act: AuditAct) => store.transact('site', tx => accounts.audit.record(tx, act))
  settings.auditBy(audit)
  const peerActs = openPeerActs({
    peers,
    site: parts.site,
    outbound: server => federation.status(server),
    audit,
  })
  const { health, ...serverHealth } = await openServerHealth({
    store,
    dataFolder,
    serverName,
    clockWatch,
    clock,
    monotonic,
    asksMachine,
    accounts,
    peers,
    outbound: server => federation.status(server),
    workerDeaths: () => worker.deaths,
    applianceReport: config.appliance.report,
    collector: monitoring.collector,
    report: message => log.warn(message),
  })
  const certificateProgram = openCertificateProgram(config, clock)
  const renewal = openRenewal(config, { log, isClockInDoubt: () => clockWatch.isInDoubt })
  const certificates = openCertificateHealth({
    files: certificateFiles(config),
    renewal,
    peers: () => peers.all(),
    peerEndsTs: federation.peerCertificateEndsTs,
  })
  health.addSource('certificates', certificates.source)
  health.addReading('certificates', certificates.reading)
  const { backups, ...backup } = await openServerBackups(parts)
  health.addSource('backup', backup.source)
  health.addReading('backup', backup.reading)
  const updates = new Updates({
    socket: config.appliance.updateSocket,
    report: message => log.warn(message),
  })
  if (updates.isHere) health.addSource('update', async now => updateFindings(await updates.status(), now))
  const interactiveAuth = openInteractiveAuth({
    accounts,
    clock: steady,
    randomBytes,
    isDemo: demo !== undefined,
  })

  const routes: Route[] = [
    ...appFilesRoutes({ folder: join(import.meta.dirname, '../dist/pwa') }),
    ...appInfoRoutes({
      serverName,
      demo: () => (demo ? demoAnswer(demo) : null),
      vapidPublicKey: vapid?.publicKey ?? null,
      hasPresence: presence !== undefined,
      lockAfterDays: () => settings.current.devices.lockAfterDays,
    }),
    ...enrolPageRoutes(),
    ...versionsRoutes(),
    ...wellKnownRoutes({ origin: config.server.origin }),
    ...capabilitiesRoutes({
      accounts,
      roomVersions: { default: defaultRoomVersion, stable: roomVersions },
    }),
    ...loginRoutes({ accounts }),
    ...loginTokenRoutes({ accounts, interactiveAuth }),
    ...(demo ? demoRoutes({ accounts, demo }) : []),
    ...logoutRoutes({ accounts }),
    ...refreshRoutes({ accounts }),
    ...registerRoutes({ accounts, interactiveAuth }),
    ...registrationTokenRoutes({ accounts }),
    ...enrolmentRoutes({ accounts, interactiveAuth }),
    ...accountRoutes({ accounts, interactiveAuth }),
    ...whoamiRoutes({ accounts }),
    ...deviceRoutes({ accounts, interactiveAuth }),
    ...profileRoutes({ accounts, remoteProfile: federation.remoteProfile }),
    ...externalPeopleRoutes({ accounts, rooms }),
    ...organisationsRoutes({ accounts, rooms, peers, outbound: server => federation.status(server) }),
    ...accountDataRoutes({
      accounts,
      managed: {
        'm.push_rules': async userId => ({ global: (await push.rules(userId)) as unknown as JsonObject }),
      },
    }),
    ...tagRoutes({ accounts }),
    ...openIdRoutes({ accounts }),
    ...userDirectoryRoutes({ accounts }),
    ...serverAdminRoutes({ accounts }),
    ...metricsRoutes({ health, token: monitoring.metricsToken, version: release.version }),
    ...adminRoutes({
      accounts,
      reports,
      peerActs,
      oversight: openRoomOversight({ store, rooms }),
      settings,
      site: siteFacts(config, () => settings.current.listen.trustPage),
      health,
      backup: { backups, audit, clock },
      update: { updates, audit },
      certificate: { certificates: certificateProgram, audit },
      adminToken,
      confirmed: ctx => interactiveAuth.confirmedByPasskey(ctx),
    }),
    ...roomRoutes({
      authenticate: requireAccessToken(accounts),
      serverName,
      rooms,
      people,
      members,
      outward: rooms.outward,
      peers,
      aliases,
      publicRooms,
      remoteRooms: federation.remoteRooms,
      remoteSpaces: openRemoteSpaces({ rooms, remote: federation.remoteRooms, clock }),
      relations,
      reports,
      movedRooms: openMovedRooms({ rooms, accountData: accounts.accountData, push }),
      clock,
    }),
    ...typingRoutes({ accounts, rooms, typing }),
    ...presenceRoutes({ accounts, rooms, presence: presence ?? null, clock: steady }),
    ...receiptRoutes({ accounts, readMarkers }),
    ...readMarkerRoutes({ accounts, readMarkers }),
    ...filterRoutes({ accounts, filters }),
    ...syncRoutes({
      accounts,
      onSessionChange: accounts.sessions.onChange,
      sync,
      presence,
      filters,
      signed: eventId => rooms.signed(eventId),
      clock,
    }),
    ...pushRuleRoutes({ accounts, push }),
    ...pusherRoutes({ accounts, pushers, hosts }),
    ...notificationRoutes({
      authenticate: requireAccessToken(accounts),
      rooms,
      relations,
      people,
      receipts,
      push,
      ignoredUsers,
      clock,
    }),
    ...keysRoutes({ accounts, keys, positionOf: token => parseSyncToken(token)?.position ?? null }),
    ...crossSigningRoutes({
      accounts,
      keys,
      requireInteractiveAuth: requireInteractiveAuth(interactiveAuth),
    }),
    ...keyBackupRoutes({ accounts, backups: keys.backups }),
    ...toDeviceRoutes({ accounts, keys }),
    ...mediaRoutes({ accounts, media, remoteMedia }),
  ]
  const peerRoutes = federation.start({
    rooms,
    tellDevices: (peer, userIds) => keys.tellDevices(peer, userIds),
    takeEdu: peerEdus({ rooms, keys, typing, receipts, presence, outbound: federation.outbound, clock }),
    answers: authenticate =>
      peerAnswers({ store, serverName, accounts, rooms, aliases, publicRooms, media, clock }, authenticate),
  })
  await catchUpWithPeers({
    store,
    rooms,
    remote: federation.remoteRooms,
    peers,
    clock,
    report: (message, fields) => log.warn(message, fields),
  })
  await accounts.start()
  await pinFirstPeers(dataFolder, peerActs, log)
  peers.onChange(() => tellOfPeers(dataFolder))
  settings.follow(async () => ({ done: async () => tellOfPeers(dataFolder), undo: async () => {} }))
  if (demo) await makeDemoPeople(accounts, demo, clock)
  const localRequests = await watchLocalRequests({
    accounts,
    data: dataFolder,
    clock,
    report: message => log.warn(message),
  })
  const hourMs = 60 * 60 * 1000
  const dutyList: readonly Duty[] = [
    ...serverHealth.duties,
    renewal.duty,
    backup.duty,
    {
      name: 'external people whose day has come',
      everyMs: 60_000,
      run: () => accounts.people.expireDue(),
    },
    {
      name: 'telling sponsors',
      everyMs: hourMs,
      run: () => accounts.endings.announce(),
    },
    {
      name: 'ended command lines',
      everyMs: hourMs,
      run: () => accounts.commandLines.removeExpired(),
    },
  ]
  const duties = startDuties(dutyList, { clock, report: message => log.warn(message) })
  return {
    accounts,
    routes,
    peerRoutes,
    duties,
    noteCertificate: async ({ fingerprint256, notAfterMs }) => {
      await audit({
        actor: renewal.isOurs(fingerprint256)
          ? 'system'
          : (certificateProgram.actorOf(fingerprint256) ?? 'local'),
        action: 'site.certificate',
        detail: { fingerprint_sha256: fingerprint256, not_after_ts: notAfterMs },
      })
    },
    stopWaiting: () => sync.close(),
    close: async () => {
      settings.auditBy(null)
      sync.close()
      await backups.close()
      await duties.close()
      serverHealth.close()
      presence?.close()
      await localRequests.close()
      await federation.close()
      await bell?.close()
      await media.close()
      await accounts.close()
    },
  }
}

/**
 * Administration: what each setting of the server means (server/config-keys.ts), and what it may be. Here as it stands there.
 *
 * What is in straight quotation marks is typed as it stands: it is shown from left to right in every language.
 */
export const configuration = {
  server_name:
    'The part behind the colon in every user id. It can never change: choose it before the first real account. Without it the server is a trial named "localhost".',
  server_origin:
    'The address that people open. Passkeys are bound to its host, so the host cannot change once a passkey exists. Default: https and the host of server.name.',
  server_data: 'Where everything is kept.',
  listen_client: 'Where clients are answered. "0.0.0.0:8008" or "[::]:8008" answers from everywhere.',
  listen_federation:
    'Where other servers are answered, always by TLS: "[::]:8448". Without it this server speaks with no other one. Only servers that an administrator has pinned get more than our public keys.',
  listen_trust_page:
    'Where devices are told, by plain http, how they learn to trust the private authority (tls.authority): "[::]:80". Nothing else is answered there. Without it there is no such page.',
  federation_address:
    'Where other servers dial this one; it stands in the card that they pin. Default: the host of server.name, and its port or that of listen.federation.',
  federation_residency:
    'The jurisdiction in which this server keeps what it is sent; it stands in the card. Rooms may demand one.',
  tls_certificate:
    'The certificate and its chain. Without it, and without tls.authority, the server speaks plain http, for a proxy on the same machine.',
  tls_key: 'The private key of the certificate.',
  tls_authority:
    'In place of tls.certificate and tls.key: the server keeps its certificate in the data folder. "own": one of a private authority that can vouch for this server’s names alone; it renews itself, and people’s devices must trust that authority. "organisation": one that was brought by: letro certificate import.',
  accounts_registration:
    'Who may make an account: people with an enrolment link or a registration token, or everybody.',
  accounts_passwords: 'Sign-in and registration by password, beside passkeys: for bots, tests and migration.',
  accounts_first_administrator: 'Whose link is printed at each start while nobody administers this server.',
  limits_enabled: 'Rate limits count each person, or each network address where nobody is signed in.',
  limits_login: 'Limits sign-in attempts, refresh, passkey and enrolment ceremonies.',
  limits_register: 'Limits new accounts and questions about free names.',
  limits_bad_token: 'Limits requests with an unknown access token.',
  limits_send: 'Limits messages, state events, redactions.',
  limits_ephemeral: 'Limits typing, receipts, read markers.',
  limits_to_device: 'Limits to-device messages.',
  limits_room: 'Limits new rooms, upgrades, aliases.',
  limits_membership: 'Limits join, leave, invite, kick, ban, knock.',
  limits_read: 'Limits history, state, relations, search, sync.',
  limits_keys: 'Limits device keys, signatures, key backup.',
  limits_account: 'Limits profile, account data, devices, push rules.',
  limits_directory: 'Limits user and room directories.',
  limits_upload: 'Limits media uploads.',
  limits_media: 'Limits media downloads and thumbnails.',
  limits_federation: 'Limits requests of one peer.',
  limits_peer_membership: 'Limits invites, knocks and joins that one peer brings.',
  limits_admin: 'Limits the administration API.',
  limits_upload_size: 'The largest file.',
  limits_media_quota: 'What all files of one person may take together.',
  admin_token_file:
    'A file with a bearer token for the administration API: for automation. Off by default: whoever reads the file is an administrator.',
  metrics_token_file:
    'A file with a bearer token for /_letro/metrics, where Prometheus reads how this server is: numbers, and names of peers. Off by default.',
  metrics_token_sha256:
    'In place of that file: the SHA-256 of the token. The token itself, at random and at least 32 characters long, stays with Prometheus.',
  syslog_address:
    'A collector that gets health and audit by syslog over TLS (RFC 5425, usually port 6514). People are pseudonyms there. Off by default. The first time it gets the whole audit.',
  syslog_authority:
    'The authority that issued the collector’s certificate. Default: those that the machine trusts.',
  syslog_certificate:
    'The certificate with which this server shows the collector who it is, where that asks for one.',
  syslog_key: 'The private key of that certificate.',
  appliance_report:
    'Where the appliance says how its machine is: releases, Secure Boot, TPM. Set by the appliance itself; nothing for other machines.',
  appliance_update_socket:
    'Where the updater of the appliance answers; its unit sets it. Elsewhere there is none.',
  devices_lock_after_days:
    'A device that had no contact with the server for so long locks itself until it has. 0: never.',
  presence_enabled:
    'Whether people see who is there, and people of pinned servers as well. It tells when somebody works.',
  push_hosts:
    'Push services of browser vendors that this server may reach, so that a phone rings while Letro is closed. They learn when a device is rung, never by whom or why. Chrome: "fcm.googleapis.com"; Firefox: "updates.push.services.mozilla.com"; Safari: "*.push.apple.com"; Edge: "*.notify.windows.com".',
  backup_folder:
    'Where a backup is written every night: a disk of its own, or a network share that is mounted there. The first one is made as soon as it is known for whom to encrypt.',
  backup_recipients:
    'Who can open backups: the public halves of keys whose private halves are kept away from this server. Without it, the key that "letro backup key" made.',
  backup_passphrase_file:
    'In place of recipients: a file with a passphrase. Weaker: whoever breaks into this server reads it, and every backup.',
  backup_at: 'When the nightly backup begins.',
  backup_full_every_days:
    'Between full backups only what changed is written; to restore, all files since the last full one are needed.',
  backup_keep: 'How many full backups stay, each with the smaller ones that follow it.',
  backup_rate: 'How much a backup reads in a second at most, so that people do not feel it.',
  backup_sftp:
    'Another machine to which each backup is copied. The path is absolute; without one it is where that user begins.',
  backup_sftp_host_key:
    'The key by which that machine is known. Ask its administrator for it: one that is read from the network may be anybody’s.',
  backup_sftp_key_file:
    'With what this server signs in there. Default: a key of its own, whose public half is shown with the backups. Give that user nothing but this folder.',
  backup_sftp_timeout_minutes: 'How long the copy of one backup may take before it is ended.',
  allowed_listen_trust_page: 'host:port',
  allowed_limits: 'a rate such as "20/s burst 200" (per s, m or h)',
  allowed_limits_upload_size: 'a size such as "100 MiB"',
  allowed_limits_media_quota: 'a size such as "100 MiB"',
  allowed_metrics_token_file: 'the path of a file',
  allowed_metrics_token_sha256: '64 hexadecimal digits',
  allowed_syslog_address: 'host:port',
  allowed_syslog_authority: 'the path of a PEM file, or what is in it',
  allowed_devices_lock_after_days: 'a number of days, 0 to 365',
  allowed_push_hosts:
    'a list of host names such as ["updates.push.services.mozilla.com"]; "*." in front allows all names below',
  allowed_backup_folder: 'the path of a folder that exists',
  allowed_backup_at: 'a time of day such as "02:30", by the clock of this machine',
  allowed_backup_full_every_days: 'a number of days, 1 to 90',
  allowed_backup_keep: 'a number, 1 to 100',
  allowed_backup_rate: 'a size such as "16 MiB"',
  allowed_backup_sftp: 'an address such as "sftp://letro@backup.example:22/backups"',
  allowed_backup_sftp_host_key: 'a host key as ssh-keyscan prints it after the name: "ssh-ed25519 AAAA…"',
  allowed_backup_sftp_key_file: 'the path of a private key of OpenSSH without a passphrase',
  allowed_backup_sftp_timeout_minutes: 'a number of minutes, 1 to 1440',
}

/** What each finding means, and what to do about it: for somebody who was woken for this. Names as in #protocol/finding.ts. */
const disk = 'The disk of the data folder has {available_bytes} of {size_bytes} left.'
const diskDo =
  'Remove what is not Letro’s from that disk, or give it a larger one. When it is full, people can read and nothing new is taken.'

export const findings = {
  disk_filling: disk,
  disk_filling_do: diskDo,
  disk_full_soon: disk,
  disk_full_soon_do: diskDo,
  memory_short: 'The machine has {available_bytes} of {total_bytes} memory left.',
  memory_short_do:
    'See what takes it. If it is another program, move it elsewhere; if it is Letro, restart it and report it to us.',
  temperature_high: 'The processor is at {celsius}.',
  temperature_high_do:
    'Look at fans, dust and the cooling of the room. A machine this hot slows down, then switches itself off.',
  smart_failing: 'The disk {subject} says of itself that it is failing.',
  smart_failing_do: 'Make a backup now, then replace the disk.',
  clock_jumped: 'The clock jumped by {by_ms}.',
  clock_jumped_do:
    'If the server was switched off for that long, all is well: say so at the console of an appliance, under Time. Else check the machine’s time and what keeps it.',
  clock_not_synchronised: 'Nothing keeps the machine’s clock right.',
  clock_not_synchronised_do:
    'Give it a time source. A wrong clock breaks certificates, sign-in and the times of messages.',
  clock_behind: 'The clock is {behind_ms} behind what is already stored.',
  clock_behind_do: 'Set the machine’s clock. If it starts like this each time, its battery is empty.',
  store_slow: 'A write to disk takes {median_ms}; no message is sent faster.',
  store_slow_do:
    'Look what else writes to this disk, and whether it is failing. The data folder does not belong on a network drive.',
  store_maintenance: 'The server found damaged data and serves nobody until it is repaired.',
  store_maintenance_do: 'Stop it, copy the data folder to another disk, then: letro store check',
  worker_restarting: 'The process for passwords and pictures died {deaths} times within an hour.',
  worker_restarting_do:
    'Memory may be short, or somebody sends broken pictures. It starts again by itself; update Letro when a release is there.',
  peer_unreachable: '{subject} takes nothing; {length} wait. Last error: {last_error}',
  peer_unreachable_do: 'Nothing is lost, it goes out when that server is back. Call its administrator.',
  peer_queue_long: '{length} messages and keys wait for {subject}.',
  peer_queue_long_do: 'It is slow, or was away. Look again in an hour.',
  rooms_frozen: 'Rooms that stand still because a server came in that is not pinned: {rooms}',
  rooms_frozen_do: 'Decide for each, under Rooms and spaces: pin that server, or have its people put out.',
  certificate_expires: '{subject}: it ends {expires_ts}.',
  certificate_expires_do: 'Renew it. After that day no app and no browser connects.',
  certificate_expired: '{subject}: it ended {expires_ts}. Nobody new can connect.',
  certificate_expired_do: 'Renew it now.',
  certificate_not_yet_valid: '{subject}: it is valid only from {valid_from_ts}.',
  certificate_not_yet_valid_do:
    'The machine’s clock is wrong, or that of the machine that issued it. Check the clock first.',
  certificate_unreadable: '{subject}: it or its key cannot be read. What was loaded before is still used.',
  certificate_unreadable_do:
    'Put the right files back and let Letro read them. A restart without them fails.',
  certificate_renewal_failed: '{subject}: it could not be renewed ({reason}).',
  certificate_renewal_failed_do: 'It is tried again by itself. Renew it by hand before it ends.',
  certificate_authority_expires: 'Our own certificate authority ends {expires_ts}.',
  certificate_authority_expires_do:
    'Make the next one now and bring it to all devices: phones must trust it before the old one ends.',
  certificate_authority_expired:
    'Our own certificate authority ended {expires_ts}: no device trusts this server.',
  certificate_authority_expired_do: 'Make a new one and bring it to every device by the trust page.',
  certificate_peer_expires: 'The certificate of {subject} ends {expires_ts}.',
  certificate_peer_expires_do:
    'Tell its administrator. After that day nothing goes there until it has another one.',
  certificate_peer_expired: 'The certificate of {subject} ended {expires_ts}.',
  certificate_peer_expired_do: 'Tell its administrator. What is for that server waits here.',
  backup_none: 'There has never been a backup of this server.',
  backup_none_do: 'Set one up, under Backup. What a disk destroys, only a backup brings back.',
  backup_old: 'No backup has succeeded for {hours} hours.',
  backup_old_do: 'See under Backup why, and make one now.',
  backup_failed: 'The last backup failed ({failure}).',
  backup_failed_do: 'See under Backup. The one before it is still good.',
  backup_same_disk: 'The backups are on the same disk as the data.',
  backup_same_disk_do: 'When that disk dies, both are gone. Copy them to another machine.',
  backup_keys_newer: 'The server has keys that are in no backup yet.',
  backup_keys_newer_do: 'Make a backup now, under Backup.',
  administrators_only_one: 'There is only one administrator.',
  administrators_only_one_do:
    'Make a second person one, before the first is ill or has lost a phone. Without any, only whoever sits at the machine can make one.',
  administrators_one_passkey: 'Administrators with a single passkey: {administrators}',
  administrators_one_passkey_do:
    'Add a second one, best on a security key in a drawer. A lost phone would be a locked-out administrator.',
  external_ends_soon: 'External accounts that end within two weeks: {people}; the first {first_ts}.',
  external_ends_soon_do: 'Nothing, if that is meant. Who is to stay gets a later day, under People.',
  appliance_went_back:
    'Release {failed} was tried and did not prove itself; the machine went back to {running}.',
  appliance_went_back_do:
    'Nothing is lost. Apply the update once more; if it goes back again, report it to us.',
  appliance_development:
    'This is a development image: whoever built it can sign updates for it, and knows its keys.',
  appliance_development_do:
    'Use it for trying only. Install a released image before anybody writes what counts.',
  appliance_secure_boot_off: 'Secure Boot is not on: the machine starts whatever is put onto its disk.',
  appliance_secure_boot_off_do:
    'Enrol the keys of this image at the console, under Secure Boot (the firmware has to be in setup mode); or give the virtual machine a firmware with Secure Boot.',
  appliance_tpm_absent: 'This machine has no TPM: somebody has to type the passphrase at every start.',
  appliance_tpm_absent_do:
    'Nothing, if that is meant. Else make a backup, switch the TPM on in the firmware, set the machine up anew, and restore.',
  appliance_tpm_failed: 'The TPM did not open the data at the last start; the recovery key had to.',
  appliance_tpm_failed_do:
    'If board or firmware were changed on purpose: restart, type the recovery key, and seal the data to the TPM when the console offers it. If not, find out who had the machine.',
  update_waiting: 'Release {version} is written and waits for a restart.',
  update_waiting_do:
    'Restart it under Updates when it suits people, or give it hours in which it may do so by itself.',
  update_refused: 'An update was refused or broke off ({reason}).',
  update_refused_do: 'See under Updates why. The running release was not changed.',
  syslog_behind: 'The syslog collector has taken nothing for {behind_ms}.',
  syslog_behind_do:
    'Look at the collector and its certificate. No line is lost; they are kept here until it takes them.',
  health_source_failed: 'It could not be found out how “{subject}” is.',
  health_source_failed_do:
    'What was known before still stands. If this stays after a restart, report it to us.',
}

/** Where things are on a running appliance. The units under rootfs/ say the same. */
import { join } from 'node:path'

/** Read-only, sealed by dm-verity. */
const program = '/usr/lib/letro'
/** The encrypted partition, once it is open. */
const data = '/var/lib/letro'

export const paths = {
  program,
  /** What this slot is: {product, version, counter, architecture, development}. */
  release: join(program, 'release.json'),
  /** Public keys, PEM: update-*.pem sign updates, stick-*.pem provisioning sticks. */
  keys: join(program, 'keys'),
  /** Signs the PCR 11 policies of this release's kernel images and the next ones'. */
  tpmPolicyKey: join(program, 'keys', 'tpm-policy.pem'),
  data,
  /** letro.toml and data/; belongs to the user `letro`. */
  site: join(data, 'site'),
  configFile: join(data, 'site', 'letro.toml'),
  /** Settings of the machine; root alone. */
  settings: join(data, 'appliance'),
  /** Updates on their way to the updater: the server writes, the updater reads. */
  spool: join(data, 'update'),
  esp: '/efi',
  run: '/run/letro',
  diskState: '/run/letro/disk.json',
  machineReport: '/run/letro/machine.json',
  stick: '/run/letro/stick',
  updateSocket: '/run/letro-update/socket',
} as const

/** GPT labels. */
export const partitions = {
  esp: 'esp',
  root: { a: 'root-a', b: 'root-b' },
  verity: { a: 'verity-a', b: 'verity-b' },
  data: 'data',
} as const

export type Slot = 'a' | 'b'

/** The user whom the server runs as. */
export const serverUser = { name: 'letro', id: 900 } as const

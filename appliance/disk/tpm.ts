/** The machine's TPM: whether it has one, and sealing a keyslot to it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DiskError } from './disk-error.ts'
import { readLuksHeader, tokenTypes } from './luks-header.ts'
import { type Machine, must } from './machine.ts'
import { withSecretFile } from './secret-file.ts'
import { secureBoot } from './secure-boot.ts'

export async function hasTpm(machine: Pick<Machine, 'root'>): Promise<boolean> {
  const file = join(machine.root, '/sys/class/tpm/tpm0/tpm_version_major')
  return readFile(file, 'utf8').then(
    version => version.trim() === '2',
    () => false,
  )
}

const tries = 3
const betweenTriesMs = 1_000

export interface Sealing {
  /** Also to the state of Secure Boot (PCR 7): a change of its keys or lists then needs the recovery key. */
  readonly bindSecureBoot: boolean
}

/**
 * Seals to what our signed kernel images measure (PCR 11, by signature: the next release opens it as well), and to nothing having been
 * slipped in beside them (PCR 12 and 13, by value: command line, credentials, extensions). What was sealed before is removed
 * last: a cut leaves both, or the old. What this TPM does not open (it is another chip's) is removed first, for
 * systemd-cryptenroll takes what is sealed under the same policy for its own work of before, and does nothing: a cut then
 * leaves the recovery key, which was just typed.
 */
export async function seal(
  machine: Machine,
  device: string,
  secret: string,
  { bindSecureBoot }: Sealing,
): Promise<void> {
  if (!(await hasTpm(machine))) {
    throw new DiskError('TPM_ABSENT', 'This machine has no TPM 2.0, or its firmware has switched it off.')
  }
  if (bindSecureBoot && (await secureBoot(machine)).state !== 'on') {
    throw new DiskError(
      'SECURE_BOOT_OFF',
      'Secure Boot is not on. Switch it on first, then bind the data to it: later would lock the data.',
    )
  }
  const header = await readLuksHeader(machine, device)
  if (header && header.tokensOf.tpm.length > 0 && (await openByTpm(machine, device, null)) !== 'opened')
    await must(machine, 'systemd-cryptenroll', ['--wipe-slot=tpm2', device])
  const pcrs = bindSecureBoot ? '7+12+13' : '12+13'
  const { code, stderr } = await withSecretFile(machine, secret, file =>
    machine.run('systemd-cryptenroll', [
      `--unlock-key-file=${file}`,
      '--tpm2-device=auto',
      `--tpm2-public-key=${machine.paths.tpmPolicyKey}`,
      '--tpm2-public-key-pcrs=11',
      `--tpm2-pcrs=${pcrs}`,
      '--wipe-slot=tpm2',
      device,
    ]),
  )
  if (code !== 0) {
    throw new DiskError(
      'TPM_FAILED',
      'The TPM did not take the key. The recovery key still opens the data.',
      {
        cause: new Error(stderr.trim().slice(-1000)),
      },
    )
  }
  const opened = await openByTpm(machine, device, null)
  if (opened !== 'opened') {
    throw new DiskError(
      'TPM_FAILED',
      'The TPM took the key and does not give it back: this start was not measured as our kernel images are. The recovery key still opens the data.',
    )
  }
}

/**
 * Never asks anybody. Without a name it only tries. `failed`: it did not answer in time, or broke off. A chip that is busy or slow for a
 * moment is asked again: it is no reason for a machine to wait for somebody until the morning.
 */
export async function openByTpm(
  machine: Pick<Machine, 'run'>,
  device: string,
  name: string | null,
): Promise<'opened' | 'refused' | 'failed'> {
  const byToken = ['--type', 'luks2', '--token-only', '--token-type', tokenTypes.tpm]
  const args = name === null ? ['--test-passphrase', device] : [device, name]
  for (let left = tries; ; ) {
    const { code, stderr } = await machine.run('cryptsetup', ['open', ...byToken, ...args], {
      timeoutMs: 60_000,
    })
    if (code === 0) return 'opened'
    if (--left === 0) {
      console.error('the TPM does not open the data:', stderr.trim().slice(-2000))
      return code < 0 ? 'failed' : 'refused'
    }
    await sleep(betweenTriesMs)
  }
}

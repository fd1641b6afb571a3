/**
 * Keyslots of the data partition: adding one and saying by a token what it is for. The new way to open is complete before an old one is
 * removed, so that a cut never leaves a disk that nobody opens.
 */
import { DiskError } from './disk-error.ts'
import { type LuksHeader, readLuksHeader, tokenTypes, type Way } from './luks-header.ts'
import { type Machine, must } from './machine.ts'
import { withSecretFile } from './secret-file.ts'

/**
 * How much work a guess is: a recovery key has 256 bits, nothing is gained by slowing it down; a passphrase is slowed down by
 * 512 MiB and two seconds a try, on a machine that has the memory for it when it starts.
 */
const workOf: Readonly<Record<'recoveryKey' | 'passphrase', readonly string[]>> = {
  recoveryKey: ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'],
  passphrase: ['--pbkdf', 'argon2id', '--pbkdf-memory', '524288', '--iter-time', '2000'],
}

/** The first keyslot, and with it the key of the disk. All that was there is lost. */
export async function formatWithKey(machine: Machine, device: string, recoveryKey: string): Promise<void> {
  await must(
    machine,
    'cryptsetup',
    [
      'luksFormat',
      '--batch-mode',
      '--type',
      'luks2',
      '--cipher',
      'aes-xts-plain64',
      '--key-size',
      '512',
      '--sector-size',
      '4096',
      '--key-slot',
      '0',
      ...workOf.recoveryKey,
      '--key-file',
      '-',
      device,
    ],
    { input: recoveryKey, timeoutMs: 600_000 },
  )
  await nameKeyslot(machine, device, 'recoveryKey', 0)
}

/** Adds it, names it, and removes those that had the same use before. */
export async function replaceKey(
  machine: Machine,
  device: string,
  way: 'recoveryKey' | 'passphrase',
  { secret, next }: { readonly secret: string; readonly next: string },
): Promise<void> {
  const before = await requireHeader(machine, device)
  const slot = freeSlot(before)
  await withSecretFile(machine, next, file =>
    must(
      machine,
      'cryptsetup',
      [
        'luksAddKey',
        '--batch-mode',
        '--key-slot',
        String(slot),
        ...workOf[way],
        '--key-file',
        '-',
        device,
        file,
      ],
      { input: secret },
    ),
  )
  await nameKeyslot(machine, device, way, slot)
  for (const token of before.tokensOf[way]) {
    await must(machine, 'cryptsetup', ['token', 'remove', '--token-id', String(token), device])
  }
  for (const old of before.slotsOf[way]) {
    await must(
      machine,
      'cryptsetup',
      ['luksKillSlot', '--batch-mode', '--key-file', '-', device, String(old)],
      {
        input: next,
      },
    )
  }
}

async function nameKeyslot(machine: Machine, device: string, way: Way, slot: number): Promise<void> {
  await must(machine, 'cryptsetup', ['token', 'import', '--json-file', '-', device], {
    input: JSON.stringify({ type: tokenTypes[way], keyslots: [String(slot)] }),
  })
}

export async function requireHeader(machine: Pick<Machine, 'run'>, device: string): Promise<LuksHeader> {
  const header = await readLuksHeader(machine, device)
  if (!header) throw new DiskError('DATA_DAMAGED', 'The data partition has no readable header.')
  return header
}

function freeSlot({ keyslots }: LuksHeader): number {
  const slot = Array.from({ length: 32 }, (_, i) => i).find(number => !keyslots.includes(number))
  if (slot === undefined)
    throw new DiskError('DATA_DAMAGED', 'All 32 keyslots of the data partition are taken.')
  return slot
}

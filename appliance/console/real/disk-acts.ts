/** What is done to the disk, in the words of the console (appliance/disk/README.md). */
import { factoryReset } from '../../disk/factory-reset.ts'
import { installTargets, installTo } from '../../disk/install.ts'
import type { Machine as DiskMachine } from '../../disk/machine.ts'
import { createData, requireNewDisk } from '../../disk/new-data.ts'
import { checkSecret, openDataBySecret } from '../../disk/open-data.ts'
import type { Progress as DiskProgress, DiskStep } from '../../disk/progress.ts'
import { newRecoveryKey } from '../../disk/recovery-key.ts'
import { sealToTpm } from '../../disk/secrets.ts'
import { enrolAtNextStart } from '../../disk/secure-boot.ts'
import type { Machine, Tell } from '../machine.ts'

type DiskActs = Pick<
  Machine,
  | 'newRecoveryKey'
  | 'prepareDisk'
  | 'openDisk'
  | 'checkDiskSecret'
  | 'sealDisk'
  | 'factoryReset'
  | 'installTargets'
  | 'install'
  | 'enrolSecureBoot'
>

const steps: Readonly<Record<DiskStep, string>> = {
  partitions: 'Making the partitions',
  encrypt: 'Encrypting the data partition',
  seal: 'Sealing it to the TPM',
  filesystem: 'Making the file system',
  open: 'Opening it',
  stop: 'Stopping the server',
  erase: 'Erasing the keys and the data',
  copy: 'Copying the system',
  compare: 'Reading it back and comparing',
  'boot-files': 'Writing what the firmware starts',
}

/** @param afterwards what depends on the data may start; @param restart the machine goes down, and comes back */
export function diskActs(
  disk: DiskMachine,
  afterwards: () => Promise<void>,
  restart: () => Promise<void>,
): DiskActs {
  return {
    newRecoveryKey: async () => {
      await requireNewDisk(disk)
      return newRecoveryKey()
    },
    prepareDisk: async ({ recoveryKey, typedBack, passphrase, bindsSecureBoot }, tell) => {
      const unlock =
        passphrase === null
          ? ({ by: 'tpm', bindSecureBoot: bindsSecureBoot } as const)
          : ({ by: 'passphrase', passphrase } as const)
      await createData(disk, { recoveryKey, typedBack, unlock }, told(tell))
      await afterwards()
      return null
    },
    openDisk: async ({ secret }) => {
      await openDataBySecret(disk, secret)
      await afterwards()
      return null
    },
    checkDiskSecret: async ({ secret }) => {
      await checkSecret(disk, secret)
      return null
    },
    sealDisk: async ({ secret, bindsSecureBoot }) => {
      await sealToTpm(disk, secret, { bindSecureBoot: bindsSecureBoot })
      return null
    },
    factoryReset: async (_, tell) => {
      await factoryReset(disk, told(tell))
      await restart()
      return null
    },
    installTargets: async () =>
      (await installTargets(disk)).map(({ path, model, sizeBytes, holds, refused }) => ({
        device: path,
        model: model ?? 'a disk without a name',
        sizeBytes,
        holds,
        refused,
      })),
    install: async ({ device }, tell) => {
      await installTo(disk, device, told(tell))
      return null
    },
    enrolSecureBoot: async ({ withMicrosoft }) => {
      await enrolAtNextStart(disk, { withMicrosoft })
      return null
    },
  }
}

function told(tell: Tell): DiskProgress {
  return (step, doneShare) => tell({ text: steps[step], part: doneShare })
}

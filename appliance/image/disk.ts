/** The disk that people write: a partition table, the ESP with the boot loader, and slot A. The rest is made at the first start. */
import { closeSync, openSync, readSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { partitionIds } from '../update/manifest.ts'
import type { Keys } from './keys.ts'
import {
  alignBytes,
  espBytes,
  fixed,
  partitionTypes,
  product,
  rootBytes,
  sectorBytes,
  verityBytes,
} from './layout.ts'
import type { Sealed } from './seal.ts'
import type { Tools } from './tools.ts'
import { copy } from './trees.ts'

/**
 * Waits long enough to choose the other slot by hand; nothing can be edited. Keys are enrolled by itself only where
 * nothing can go wrong by it: in virtual machines. On hardware a person at the console decides (trap 10: option ROMs).
 */
const loaderConfiguration =
  'timeout 0\neditor no\nauto-entries no\nauto-firmware yes\nsecure-boot-enroll if-safe\n'

/** @returns the raw image, sparse */
export async function makeDisk(
  tools: Tools,
  work: string,
  sealed: Sealed,
  keys: Keys,
  version: string,
  epoch: number,
): Promise<string> {
  await makeEsp(tools, work, keys, version, epoch)
  const ids = partitionIds(sealed.rootHash)
  const parts = [
    { name: 'esp', bytes: espBytes, type: partitionTypes.esp, id: fixed.espId, file: join(work, 'esp') },
    { name: 'root-a', bytes: rootBytes, type: partitionTypes.root, id: ids.root, file: sealed.root },
    {
      name: 'verity-a',
      bytes: verityBytes,
      type: partitionTypes.verity,
      id: ids.verity,
      file: sealed.verity,
    },
  ]
  const disk = join(work, 'disk.img')
  rmSync(disk, { force: true })
  writeFileSync(disk, '')
  // One alignment before the first partition, one behind the last for the second table.
  truncateSync(
    disk,
    parts.reduce((sum, part) => sum + part.bytes, 2 * alignBytes),
  )
  let at = alignBytes
  const table = [`label: gpt`, `label-id: ${fixed.diskId}`, `sector-size: ${sectorBytes}`]
  for (const { name, bytes, type, id } of parts) {
    table.push(
      `start=${at / sectorBytes}, size=${bytes / sectorBytes}, type=${type}, uuid=${id.toUpperCase()}, name=${name}`,
    )
    at += bytes
  }
  writeFileSync(join(work, 'table'), `${table.join('\n')}\n`)
  await tools.run(work, 'sh', [
    '-ec',
    `sfdisk --quiet --no-reread --no-tell-kernel ${basename(disk)} < table`,
  ])
  at = alignBytes
  for (const { bytes, file } of parts) {
    copyInto(file, disk, at)
    at += bytes
  }
  return disk
}

/** Who signs the firmware of graphics and network cards; as an administrator's choice, and never who may change the keys. */
const microsoft = {
  owner: '77fa9abd-0359-4d32-bd60-28f4e78f784b',
  folder: '/usr/lib/python3/dist-packages/virt/firmware/certs',
  certificates: ['MicrosoftCorporationUEFICA2011', 'MicrosoftUEFICA2023'],
} as const

async function makeEsp(
  tools: Tools,
  work: string,
  keys: Keys,
  version: string,
  epoch: number,
): Promise<void> {
  for (const name of ['platform', 'exchange', 'secure-boot'])
    for (const end of ['key', 'crt']) copy(join(keys.folder, `${name}.${end}`), join(work, `${name}.${end}`))
  writeFileSync(join(work, 'loader.conf'), loaderConfiguration)
  rmSync(join(work, 'esp'), { force: true })
  const date = new Date(epoch * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const guid = fixed.diskId
  const script = `
    truncate -s ${espBytes} esp
    for each in platform exchange secure-boot; do cert-to-efi-sig-list -g ${guid} $each.crt $each.esl; done
    sign-efi-sig-list -t '${date}' -g ${guid} -c platform.crt -k platform.key PK platform.esl PK.auth
    sign-efi-sig-list -t '${date}' -g ${guid} -c platform.crt -k platform.key KEK exchange.esl KEK.auth
    sign-efi-sig-list -t '${date}' -g ${guid} -c exchange.crt -k exchange.key db secure-boot.esl db.auth
    cp secure-boot.esl both.esl
    for each in ${microsoft.certificates.join(' ')}; do
      cert-to-efi-sig-list -g ${microsoft.owner} ${microsoft.folder}/$each.pem microsoft.esl
      cat microsoft.esl >> both.esl
    done
    sign-efi-sig-list -t '${date}' -g ${guid} -c exchange.crt -k exchange.key db both.esl both.auth
    mformat -i esp -F -v ESP -N ${fixed.espSerial} ::
    mmd -i esp ::/EFI ::/EFI/BOOT ::/EFI/systemd ::/EFI/Linux ::/loader ::/loader/keys ::/loader/keys/auto ::/loader/keys/microsoft
    mcopy -i esp loader-signed.efi ::/EFI/BOOT/BOOTX64.EFI
    mcopy -i esp loader-signed.efi ::/EFI/systemd/systemd-bootx64.efi
    mcopy -i esp signed.efi ::/EFI/Linux/${product}_${version}+3.efi
    mcopy -i esp loader.conf ::/loader/loader.conf
    for each in PK KEK db; do mcopy -i esp $each.auth ::/loader/keys/auto/$each.auth; done
    for each in PK KEK; do mcopy -i esp $each.auth ::/loader/keys/microsoft/$each.auth; done
    mcopy -i esp both.auth ::/loader/keys/microsoft/db.auth`
  try {
    await tools.run(work, 'sh', ['-ec', script], { SOURCE_DATE_EPOCH: String(epoch) })
  } finally {
    for (const name of ['platform', 'exchange', 'secure-boot'])
      rmSync(join(work, `${name}.key`), { force: true })
  }
}

/** Pieces of zeros stay holes. */
function copyInto(from: string, to: string, at: number): void {
  const input = openSync(from, 'r')
  const output = openSync(to, 'r+')
  try {
    const piece = Buffer.alloc(alignBytes)
    for (let offset = 0; ; ) {
      const bytes = readSync(input, piece, 0, piece.length, offset)
      if (bytes === 0) break
      const part = piece.subarray(0, bytes)
      if (!part.every(byte => byte === 0)) writeSync(output, part, 0, bytes, at + offset)
      offset += bytes
    }
  } finally {
    closeSync(input)
    closeSync(output)
  }
}
